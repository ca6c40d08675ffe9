import type { IRunSummary } from '../api/generated';
import { isOver } from './runs';
import type { ISettings } from './settings';

/** Tells which runs have ended since it was made, each once. */
export class Endings {
  /** @param known - the runs that are known already: of those which are over nothing is told. */
  constructor(known: readonly IRunSummary[]) {
    for (const run of known) {
      this.newest = run.name > this.newest ? run.name : this.newest;
      if (!isOver(run.phase)) {
        this.open.add(run.name);
      }
    }
  }

  /** Those of some runs that have ended now; of a run that is not known only when it is newer than all at first. */
  take(changed: readonly IRunSummary[]): IRunSummary[] {
    const ended: IRunSummary[] = [];
    for (const run of changed) {
      const isNew = run.name > this.newest && !this.told.has(run.name);
      if (!isOver(run.phase)) {
        this.open.add(run.name);
      } else if (this.open.delete(run.name) || isNew) {
        this.told.add(run.name);
        ended.push(run);
      }
    }
    return ended;
  }

  private readonly open = new Set<string>();
  private readonly told = new Set<string>();
  private newest = '';
}

/** Seconds from its creation to its end; 0 while it goes on. */
export function took(run: IRunSummary): number {
  return run.ended === null ? 0 : run.ended - run.created;
}

/**
 * Whether the end of a run is worth a notification.
 *
 * @param isSeen - whether its notebook is on the screen; undefined when it is not open.
 */
export function isTold(
  run: IRunSummary,
  isSeen: boolean | undefined,
  { notifications, notifyAfter }: Pick<ISettings, 'notifications' | 'notifyAfter'>
): boolean {
  if (!notifications || isSeen === undefined || run.is_cached || run.phase === 'aborted') {
    return false; // who cancels knows
  }
  return !isSeen || (notifyAfter > 0 && took(run) > notifyAfter);
}
