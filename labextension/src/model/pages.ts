import type { IRunPage, IRunSummary } from '../api/generated';

/** Runs that are asked for together. */
export const PAGE = 100;

/**
 * A long list of runs, the newest first, of which only those are known that somebody looked at.
 *
 * Names sort by time, so that a run has one place in it.
 */
export class Pages {
  /**
   * @param ask - for runs from an offset on, so many at most.
   * @param length - how many there are.
   */
  constructor(
    private readonly ask: (offset: number, limit: number) => Promise<IRunPage>,
    length: number
  ) {
    this.runs = new Array<IRunSummary | undefined>(length);
  }

  get length(): number {
    return this.runs.length;
  }

  at(index: number): IRunSummary | undefined {
    return this.runs[index];
  }

  /** Where a run is; -1 when it is not known. */
  indexOf(name: string): number {
    return this.runs.findIndex(run => run?.name === name);
  }

  /** The number of the first page in a range that is not there; -1 when all are. */
  missing(first: number, last: number): number {
    for (
      let page = Math.floor(first / PAGE);
      page * PAGE <= Math.min(last, this.length - 1);
      page++
    ) {
      if (!this.loaded.has(page)) {
        return page;
      }
    }
    return -1;
  }

  /** Ask for a page. What came while something was added or removed is dropped: its places may be others. */
  async load(page: number): Promise<void> {
    const version = this.version;
    const answer = await this.ask(page * PAGE, PAGE);
    if (version !== this.version) {
      return;
    }
    if (answer.total !== this.length) {
      this.reset(answer.total);
    }
    answer.runs.forEach((run, index) => (this.runs[page * PAGE + index] = run));
    this.loaded.add(page);
  }

  /** Nothing is certain any more: what is known is shown until it was asked for again. */
  reset(length: number): void {
    this.runs.length = length;
    this.loaded.clear();
    this.version++;
  }

  /**
   * A run is new, or has changed.
   *
   * @returns whether its place is known; otherwise something has to be asked again.
   */
  put(run: IRunSummary): boolean {
    const index = this.indexOf(run.name);
    if (index >= 0) {
      this.runs[index] = run;
      return true;
    }
    const first = this.runs[0];
    if (this.length === 0 || (first && first.name < run.name)) {
      this.shift(() => this.runs.unshift(run));
      return true;
    }
    return false;
  }

  /** A run is gone, or no longer wanted. Returns whether it was known. */
  remove(name: string): boolean {
    const index = this.indexOf(name);
    if (index < 0) {
      return false;
    }
    this.shift(() => this.runs.splice(index, 1));
    return true;
  }

  /** Move what follows; a page is there when all of it still is. */
  private shift(move: () => void): void {
    move();
    this.version++;
    this.loaded.clear();
    for (let page = 0; page * PAGE < this.length; page++) {
      const end = Math.min((page + 1) * PAGE, this.length);
      let index = page * PAGE;
      while (index < end && this.runs[index]) {
        index++;
      }
      if (index === end) {
        this.loaded.add(page);
      }
    }
  }

  private readonly runs: (IRunSummary | undefined)[];
  private readonly loaded = new Set<number>();
  private version = 0;
}
