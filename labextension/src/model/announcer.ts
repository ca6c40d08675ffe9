import { Signal, type ISignal } from '@lumino/signaling';

import type { IRunSummary, PhaseName } from '../api/generated';
import { isOver, type IRunsChange, type RunsModel } from './runs';

/** Milliseconds from one announcement to the next, so that nobody is flooded. */
const PAUSE = 3000;

/** A phase that runs have just come to. */
export interface IAnnouncement {
  readonly phase: PhaseName;
  /** The title of the only one, or how many there are. */
  readonly of: string | number;
}

/** Phase changes to be read out: that a run runs, and how it ended; all of a few seconds together. */
export class Announcer {
  constructor(runs: RunsModel) {
    runs.all().forEach(run => this.known.set(run.name, run.phase));
    runs.changed.connect(this.take, this);
  }

  get said(): ISignal<Announcer, readonly IAnnouncement[]> {
    return this.hasSaid;
  }

  private take(_: RunsModel, { changed, gone }: IRunsChange): void {
    for (const run of changed) {
      const before = this.known.get(run.name);
      this.known.set(run.name, run.phase);
      const isNew = before !== undefined || Date.now() / 1000 - run.created < 60; // no news of the past
      if (isNew && before !== run.phase && (run.phase === 'running' || isOver(run.phase))) {
        this.waiting.set(run.name, run);
      }
    }
    gone.forEach(name => this.known.delete(name));
    if (this.waiting.size && this.timer === undefined) {
      const quiet = Date.now() - this.last;
      this.timer = setTimeout(() => this.say(), Math.max(0, PAUSE - quiet));
    }
  }

  private say(): void {
    this.timer = undefined;
    this.last = Date.now();
    const by = new Map<PhaseName, IRunSummary[]>();
    for (const run of this.waiting.values()) {
      by.set(run.phase, [...(by.get(run.phase) ?? []), run]);
    }
    this.waiting.clear();
    const said = [...by].map(([phase, runs]) => ({
      phase,
      of: runs.length === 1 ? runs[0].title : runs.length
    }));
    this.hasSaid.emit(said);
  }

  private readonly known = new Map<string, PhaseName>();
  private readonly waiting = new Map<string, IRunSummary>();
  private readonly hasSaid = new Signal<Announcer, readonly IAnnouncement[]>(this);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = 0;
}
