import type { ReadonlyJSONObject } from '@lumino/coreutils';

import type { ICommand } from '../api/generated';
import { CommandIDs } from '../commands';

/** A command of ours with its arguments. */
export interface IDone {
  command: string;
  args: ReadonlyJSONObject;
}

const OURS: Record<string, string> = {
  cancel: CommandIDs.confirmCancel,
  rerun: CommandIDs.rerun,
  logs: CommandIDs.openLogs
};

/** What stands on a card as buttons, the most wanted first: what can be done with a run, and where more of it is. */
export function buttonsOf(run: string, offered: readonly ICommand[]): IDone[] {
  const names = offered.map(command => command.name);
  const found = Object.keys(OURS).filter(name => names.includes(name));
  const done = found.map(name => ({ command: OURS[name], args: { run } }));
  return [...done, { command: CommandIDs.openRun, args: { run } }];
}

/** What stands in its menu: code that goes into a new cell, for what has no button. */
export function menuOf(run: string, offered: readonly ICommand[]): IDone[] {
  return offered
    .filter(({ name }) => !(name in OURS))
    .map(({ name, label, code }): IDone => {
      const isValue = name === 'value';
      return isValue
        ? { command: CommandIDs.attach, args: { run } }
        : { command: CommandIDs.insertCode, args: { code, label } };
    });
}

/** All of the code, to be copied. */
export function copiesOf(offered: readonly ICommand[]): IDone[] {
  return offered.map(({ label, code }) => ({
    command: CommandIDs.copyCode,
    args: { code, label }
  }));
}
