import { Signal, type ISignal } from '@lumino/signaling';

import type { Client } from '../api/client';
import type { INotebookRuns, IRunSummary } from '../api/generated';
import type { Stream } from '../api/stream';
import { EVERY_RUN, matches, queryOf, type IRunFilter } from './filter';
import { Pages } from './pages';
import type { IRunsChange, RunsModel } from './runs';

/** Milliseconds that news which leave something open are collected before the server is asked again. */
const PAUSE = 300;

/** Rows that are asked for before anybody has said which are seen. */
const FIRST = 60;

/** The runs of a notebook. */
export interface IGroup {
  /** The path; null for runs of no notebook. */
  readonly notebook: string | null;
  readonly runs: Pages;
}

/** A row of the list: a notebook, or a run of it, which is undefined until it has been asked for. */
export type RunListRow =
  | { readonly kind: 'notebook'; readonly group: IGroup }
  | { readonly kind: 'run'; readonly group: IGroup; readonly run: IRunSummary | undefined };

/**
 * All runs that match a filter, as rows: grouped by notebook, the last used first. What is looked at is asked for, and
 * what happens is taken in as it comes.
 */
export class RunList {
  constructor(
    private readonly client: Client,
    private readonly runs: RunsModel,
    stream: Stream
  ) {
    this.runs.changed.connect(this.take, this);
    stream.connectedChanged.connect((_, isConnected) => {
      if (isConnected && this.ready) {
        void this.refresh(); // what happened while there was no connection
      }
    });
  }

  /** Rows, or what they show, are others now. */
  get changed(): ISignal<RunList, void> {
    return this.hasChanged;
  }

  /** Why the runs could not be asked for, '' when they could; `status` is that of HTTP, 0 for another reason. */
  get problem(): { message: string; status: number } | null {
    return this.failed;
  }

  /** Whether an answer has come, so that an empty list is one. */
  get isReady(): boolean {
    return this.ready;
  }

  get filter(): IRunFilter {
    return this.wanted;
  }

  set filter(filter: IRunFilter) {
    this.wanted = filter;
    void this.refresh();
  }

  /** How many rows there are. */
  get length(): number {
    return this.groups.reduce((sum, group) => sum + this.rowsOf(group), 0);
  }

  /** How many runs there are, also in notebooks that are closed. */
  get total(): number {
    return this.groups.reduce((sum, group) => sum + group.runs.length, 0);
  }

  row(index: number): RunListRow | undefined {
    let before = 0;
    for (const group of this.groups) {
      if (index === before) {
        return { kind: 'notebook', group };
      }
      const rows = this.rowsOf(group);
      if (index < before + rows) {
        return { kind: 'run', group, run: group.runs.at(index - before - 1) };
      }
      before += rows;
    }
    return undefined;
  }

  /** The row of a run, or of a notebook by its key; -1 when it is not there. */
  indexOf(key: string): number {
    let before = 0;
    for (const group of this.groups) {
      if (keyOf(group) === key) {
        return before;
      }
      const index = this.isOpen(group) ? group.runs.indexOf(key) : -1;
      if (index >= 0) {
        return before + 1 + index;
      }
      before += this.rowsOf(group);
    }
    return -1;
  }

  isOpen(group: IGroup): boolean {
    return !this.closed.has(group.notebook);
  }

  /** Show the runs of a notebook, or do not. */
  toggle(group: IGroup, open = !this.isOpen(group)): void {
    if (open) {
      this.closed.delete(group.notebook);
    } else {
      this.closed.add(group.notebook);
    }
    this.hasChanged.emit();
  }

  /** These rows are seen: ask for what of them is not there. */
  show(first: number, last: number): void {
    this.seen = [first, last];
    if (!this.isLoading) {
      void this.load();
    }
  }

  /** Ask for the notebooks again, and for the runs that are seen. */
  async refresh(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const filter = this.wanted;
    this.asking++;
    try {
      const found = await this.client.notebooks(queryOf(filter));
      if (filter !== this.wanted) {
        return; // its own answer comes
      }
      this.regroup(found, filter);
      this.failed = null;
    } catch (error) {
      this.fail(error);
    } finally {
      this.asking--;
    }
    this.ready = true;
    this.hasChanged.emit();
    await this.load();
  }

  dispose(): void {
    clearTimeout(this.timer);
    Signal.clearData(this);
  }

  private rowsOf(group: IGroup): number {
    return 1 + (this.isOpen(group) ? group.runs.length : 0);
  }

  private regroup(found: readonly INotebookRuns[], filter: IRunFilter): void {
    const before = new Map(
      filter === this.grouped ? this.groups.map(group => [group.notebook, group]) : []
    );
    this.grouped = filter;
    this.groups = found.map(({ notebook, runs, last }) => {
      const group = before.get(notebook) ?? this.group(notebook, runs, filter);
      if (group.runs.length !== runs || group.runs.at(0)?.name !== last) {
        group.runs.reset(runs);
      }
      return group;
    });
  }

  private group(notebook: string | null, length: number, filter: IRunFilter): IGroup {
    const query = { ...queryOf(filter), notebook: notebook ?? '' };
    const ask = (offset: number, limit: number) => this.client.runs({ ...query, offset, limit });
    return { notebook, runs: new Pages(ask, length) };
  }

  /** One page at a time, so that whoever scrolls fast asks for what is seen in the end, and not for all between. */
  private async load(): Promise<void> {
    if (this.isLoading) {
      return;
    }
    this.isLoading = true;
    try {
      for (let next = this.next(); next; next = this.next()) {
        await next.pages.load(next.page);
        this.hasChanged.emit();
      }
    } catch (error) {
      this.fail(error);
      this.hasChanged.emit();
    } finally {
      this.isLoading = false;
    }
  }

  private next(): { pages: Pages; page: number } | undefined {
    const [first, last] = this.seen;
    let before = 0;
    for (const group of this.groups) {
      const [from, to] = [Math.max(0, first - before - 1), last - before - 1];
      if (this.isOpen(group) && to >= 0 && from < group.runs.length) {
        const page = group.runs.missing(from, to);
        if (page >= 0) {
          return { pages: group.runs, page };
        }
      }
      before += this.rowsOf(group);
    }
    return undefined;
  }

  private take(_: RunsModel, { changed, gone }: IRunsChange): void {
    if (!this.ready && !this.asking) {
      return;
    }
    const isCertain = [
      !this.asking, // the answer may not have it yet
      ...changed.map(run => this.put(run)),
      ...gone.map(run => this.groups.some(group => group.runs.remove(run)))
    ].every(Boolean);
    this.groups = this.groups.filter(group => group.runs.length > 0);
    if (!isCertain && this.timer === undefined) {
      this.timer = setTimeout(() => void this.refresh(), PAUSE);
    }
    this.hasChanged.emit();
  }

  /** Returns whether the list is right afterwards, as far as one can know. */
  private put(run: IRunSummary): boolean {
    const at = this.groups.findIndex(({ notebook }) => notebook === run.notebook);
    if (!matches(run, this.wanted)) {
      return at < 0 || this.groups[at].runs.remove(run.name) || !this.wanted.phases.length;
    }
    const group = at < 0 ? this.group(run.notebook, 0, this.wanted) : this.groups[at];
    const isNew = group.runs.indexOf(run.name) < 0;
    const isCertain = group.runs.put(run);
    if (isNew && this.groups.some(each => each !== group && each.runs.remove(run.name))) {
      return false; // its notebook was renamed
    }
    if (isCertain && isNew && at !== 0) {
      this.groups = [group, ...this.groups.filter(each => each !== group)];
    }
    return isCertain;
  }

  private fail(error: unknown): void {
    const status = error instanceof Error && 'status' in error ? Number(error.status) : 0;
    this.failed = { status, message: error instanceof Error ? error.message : String(error) };
  }

  private groups: readonly IGroup[] = [];
  private grouped: IRunFilter = EVERY_RUN;
  private wanted: IRunFilter = EVERY_RUN;
  private seen: [number, number] = [0, FIRST];
  private asking = 0;
  private ready = false;
  private isLoading = false;
  private failed: { message: string; status: number } | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly closed = new Set<string | null>();
  private readonly hasChanged = new Signal<RunList, void>(this);
}

/** What a group is known by among rows; no run is called so. */
export function keyOf(group: IGroup): string {
  return `notebook:${group.notebook ?? ''}`;
}
