import { Notification } from '@jupyterlab/apputils';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

/** The schema of a command's arguments. */
export function schema(properties: ReadonlyJSONObject): ReadonlyJSONObject {
  return { type: 'object', properties };
}

/** Do something; what goes wrong is told by a notification, and gives undefined. */
export async function said<T>(title: string, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    Notification.error(`${title}\n${message}`, { autoClose: false });
    return undefined;
  }
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
