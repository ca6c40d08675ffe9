import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Client } from '../api/client';
import type { IRunSummary, News, PhaseName } from '../api/generated';
import type { Stream } from '../api/stream';

const FIRST = 200;
const ENDED: ReadonlySet<PhaseName> = new Set(['succeeded', 'failed', 'aborted', 'timed_out']);

/** Whether a phase is never left. */
export function isOver(phase: PhaseName): boolean {
  return ENDED.has(phase);
}

/** What has changed: runs that are new or another way, and the names of those that were deleted. */
export interface IRunsChange {
  changed: readonly IRunSummary[];
  gone: readonly string[];
}

/** The newest runs that the server knows, and all that have changed since; live. */
export class RunsModel implements IDisposable {
  constructor(
    private readonly client: Client,
    stream: Stream
  ) {
    this.watch = stream.watch('runs', news => this.take(news));
    stream.connectedChanged.connect((_, isConnected) => {
      if (isConnected) {
        void this.refresh(); // what happened while there was no connection
      }
    });
  }

  get changed(): ISignal<RunsModel, IRunsChange> {
    return this.hasChanged;
  }

  /** Why there are none, when the server could not be asked; '' otherwise. */
  get problem(): string {
    return this.failed;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /** The newest first: names sort by time. */
  all(): IRunSummary[] {
    return [...this.runs.values()].sort((a, b) => (a.name < b.name ? 1 : -1));
  }

  get(run: string): IRunSummary | undefined {
    return this.runs.get(run);
  }

  open(): IRunSummary[] {
    return this.all().filter(run => !isOver(run.phase));
  }

  async refresh(): Promise<void> {
    try {
      const page = await this.client.runs({ limit: FIRST });
      this.failed = '';
      this.put(page.runs, []);
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error);
      this.put([], []);
    }
  }

  dispose(): void {
    this.disposed = true;
    this.watch.dispose();
    Signal.clearData(this);
  }

  private take(news: News): void {
    if (news.topic === 'runs') {
      this.put(news.changed, news.gone);
    }
  }

  private put(changed: readonly IRunSummary[], gone: readonly string[]): void {
    for (const run of changed) {
      this.runs.set(run.name, run);
    }
    for (const run of gone) {
      this.runs.delete(run);
    }
    this.hasChanged.emit({ changed, gone });
  }

  private readonly runs = new Map<string, IRunSummary>();
  private readonly hasChanged = new Signal<RunsModel, IRunsChange>(this);
  private readonly watch: IDisposable;
  private failed = '';
  private disposed = false;
}
