import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IRunSummary } from '../api/generated';
import type { IRunsChange, RunsModel } from './runs';

/** Which run each cell of each notebook has started last; live. */
export class CellRuns implements IDisposable {
  constructor(private readonly runs: RunsModel) {
    this.take(runs.all());
    runs.changed.connect(this.onChange, this);
  }

  /** The cells whose last run is another one, or another way, as `cellKey` names them. */
  get changed(): ISignal<CellRuns, ReadonlySet<string>> {
    return this.hasChanged;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /** @param cell - as `cellKey` names it. */
  last(cell: string): IRunSummary | undefined {
    return this.newest.get(cell);
  }

  /** Runs that the list of the newest may not have. */
  add(runs: readonly IRunSummary[]): void {
    const touched = this.take(runs.map(run => this.runs.get(run.name) ?? run));
    if (touched.size) {
      this.hasChanged.emit(touched);
    }
  }

  dispose(): void {
    this.disposed = true;
    this.runs.changed.disconnect(this.onChange, this);
    Signal.clearData(this);
  }

  private onChange(_: RunsModel, { changed, gone }: IRunsChange): void {
    const touched = this.take(changed);
    for (const name of gone) {
      for (const [cell, run] of this.newest) {
        if (run.name === name) {
          this.newest.delete(cell);
          touched.add(cell);
        }
      }
    }
    if (gone.length) {
      this.take(this.runs.all()); // an older run of the cell
    }
    if (touched.size) {
      this.hasChanged.emit(touched);
    }
  }

  private take(runs: readonly IRunSummary[]): Set<string> {
    const touched = new Set<string>();
    for (const run of runs) {
      if (run.notebook !== null && run.cell !== null) {
        const cell = cellKey(run.notebook, run.cell);
        const before = this.newest.get(cell);
        if (before === undefined || before.name <= run.name) {
          this.newest.set(cell, run);
          touched.add(cell);
        }
      }
    }
    return touched;
  }

  private readonly hasChanged = new Signal<CellRuns, ReadonlySet<string>>(this);
  private readonly newest = new Map<string, IRunSummary>();
  private disposed = false;
}

/** Names a cell among those of all notebooks. */
export function cellKey(notebook: string, cell: string): string {
  return `${notebook}\n${cell}`;
}
