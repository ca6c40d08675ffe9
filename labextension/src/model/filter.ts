import type { IRunSummary, PhaseName } from '../api/generated';

/** Which runs are wanted; what is empty is not asked for. */
export interface IRunFilter {
  /** Words that are all in name, task, title, reason, notebook or trigger; upper and lower case are alike. */
  readonly text: string;
  readonly phases: readonly PhaseName[];
  /** The full name of a task. */
  readonly task: string;
}

export const EVERY_RUN: IRunFilter = { text: '', phases: [], task: '' };

export function isEverything(filter: IRunFilter): boolean {
  return !filter.text.trim() && !filter.phases.length && !filter.task;
}

/** Whether the server would list a run: the same rule as its index has. */
export function matches(run: IRunSummary, filter: IRunFilter): boolean {
  if (filter.phases.length && !filter.phases.includes(run.phase)) {
    return false;
  }
  if (filter.task && run.task !== filter.task) {
    return false;
  }
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) {
    return true;
  }
  const { name, task, title, reason, notebook, trigger } = run;
  const within = [name, task, title, reason, notebook, trigger].join('\n').toLowerCase();
  return words.every(word => within.includes(word));
}

/** The parameters of a query for them. */
export function queryOf(filter: IRunFilter): Record<string, string | undefined> {
  return {
    text: filter.text.trim() || undefined,
    phase: filter.phases.join(',') || undefined,
    task: filter.task || undefined
  };
}
