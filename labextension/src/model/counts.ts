import type { IRunSummary } from '../api/generated';
import { isOver } from './runs';

/** How many runs there are that have not ended. */
export interface ICounts {
  running: number;
  waiting: number;
}

export function countsOf(runs: readonly IRunSummary[]): ICounts {
  const open = runs.filter(run => !isOver(run.phase));
  const running = open.filter(run => run.phase === 'running').length;
  return { running, waiting: open.length - running };
}
