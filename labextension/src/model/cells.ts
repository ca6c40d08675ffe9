import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Client } from '../api/client';
import type { ICellFound, ICellSource, IDeclared, IProblem } from '../api/generated';

/** Milliseconds without a change after which the server is asked. */
const QUIET = 400;

/** An environment or a task, and the cell that makes it. */
export interface IDeclaredIn extends IDeclared {
  cell: string;
}

/** What the cells of one notebook declare, and what is wrong in their magics, soon after they were changed. */
export class CellsModel implements IDisposable {
  /** @param sources - gives the code cells as they stand now, in the order of the notebook. */
  constructor(
    private readonly client: Client,
    private readonly sources: () => ICellSource[],
    private readonly quiet = QUIET
  ) {}

  get changed(): ISignal<CellsModel, void> {
    return this.hasChanged;
  }

  /** Why nothing is known, when the server could not be asked; '' otherwise. */
  get problem(): string {
    return this.failed;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  environments(): IDeclaredIn[] {
    return this.declared().filter(one => one.kind === 'environment');
  }

  tasks(): IDeclaredIn[] {
    return this.declared().filter(one => one.kind === 'task');
  }

  /** From the top of the notebook to its end. */
  declared(): IDeclaredIn[] {
    return [...this.found.values()].flatMap(cell =>
      cell.declared.map(one => ({ ...one, cell: cell.id }))
    );
  }

  of(cell: string): readonly IDeclared[] {
    return this.found.get(cell)?.declared ?? [];
  }

  /** What is wrong in a cell that reads so; undefined while that is not known. */
  problems(cell: string, source: string): readonly IProblem[] | undefined {
    return this.read.get(cell) === source ? this.found.get(cell)?.problems : undefined;
  }

  /** Ask the server once no more changes come. */
  touch(): void {
    if (!this.disposed) {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.refresh(), this.quiet);
    }
  }

  /** Ask the server now; while it is asked already, once more after that. */
  async refresh(): Promise<void> {
    window.clearTimeout(this.timer);
    this.isWanted = true;
    if (this.isAsking) {
      return;
    }
    this.isAsking = true;
    try {
      while (this.isWanted && !this.disposed) {
        this.isWanted = false;
        await this.ask();
      }
    } finally {
      this.isAsking = false;
    }
  }

  dispose(): void {
    this.disposed = true;
    window.clearTimeout(this.timer);
    Signal.clearData(this);
  }

  private async ask(): Promise<void> {
    const sources = this.sources();
    try {
      const { cells } = await this.client.cells(sources);
      this.failed = '';
      this.found = new Map(cells.map(cell => [cell.id, cell]));
      this.read = new Map(sources.map(cell => [cell.id, cell.source]));
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error);
    }
    if (!this.disposed) {
      this.hasChanged.emit();
    }
  }

  private readonly hasChanged = new Signal<CellsModel, void>(this);
  private found: ReadonlyMap<string, ICellFound> = new Map();
  private read: ReadonlyMap<string, string> = new Map();
  private timer = 0;
  private isAsking = false;
  private isWanted = false;
  private failed = '';
  private disposed = false;
}
