import { Signal, type ISignal } from '@lumino/signaling';

import type { IActionRow } from '../api/generated';
import { above, grow, isFiltering, matches, NO_FILTER, ROOT_KEY, rows } from './viewer_tree';
import type { IFilter, ITree, ITreeRow } from './viewer_tree';

/** The rows of the tree that are seen, which of them the keyboard is at, and which action is selected. */
export class RowsModel {
  /** @param all - the actions; another array whenever one has changed. */
  constructor(private readonly all: () => readonly IActionRow[]) {}

  get changed(): ISignal<RowsModel, void> {
    return this.hasChanged;
  }

  /** The name of the action whose details are shown. */
  get selected(): string {
    return this.action;
  }

  /** The key of the row that the keyboard is at. */
  get cursor(): string {
    return this.at;
  }

  get filter(): IFilter {
    return this.wanted;
  }

  set filter(filter: IFilter) {
    this.wanted = filter;
    this.toggled.clear();
    this.redo();
  }

  tree(): ITree {
    const actions = this.all();
    if (!this.grown || this.grownOf !== actions) {
      this.grownOf = actions;
      this.grown = grow(actions);
      this.seen = undefined;
    }
    return this.grown;
  }

  rows(): readonly ITreeRow[] {
    const tree = this.tree();
    this.seen ??= rows(tree, this.toggled, this.wanted);
    return this.seen;
  }

  /** Where the row of the keyboard is; -1 when it is not seen. */
  index(): number {
    return this.rows().findIndex(row => row.key === this.at);
  }

  /** How many actions the filter lets through. */
  found(): number {
    const actions = this.all();
    return isFiltering(this.wanted)
      ? actions.filter(action => matches(action, this.wanted)).length
      : actions.length;
  }

  /** Go to a row; an action is also selected. */
  go(row: ITreeRow): void {
    this.at = row.key;
    if (row.action) {
      this.action = row.action.name;
    }
    this.hasChanged.emit();
  }

  /** Select an action by its name, and open what hides it. */
  select(name: string): void {
    const tree = this.tree();
    if (tree.byName.has(name)) {
      const { groups, callers } = above(tree, name);
      const opens = isFiltering(this.wanted);
      groups.forEach(key => (opens ? this.toggled.delete(key) : this.toggled.add(key)));
      callers.forEach(key => this.toggled.delete(key));
    }
    this.at = this.action = name;
    this.redo();
  }

  /** Open or close a row; does nothing for one with nothing below it. */
  toggle(row: ITreeRow, isOpen = !row.isOpen): void {
    if (row.isOpen !== null && row.isOpen !== isOpen) {
      if (!this.toggled.delete(row.key)) {
        this.toggled.add(row.key);
      }
      this.redo();
    }
  }

  /** Go up or down by so many rows. */
  move(by: number): void {
    const seen = this.rows();
    if (seen.length) {
      const index = Math.max(0, this.index());
      this.go(seen[Math.max(0, Math.min(seen.length - 1, index + by))]);
    }
  }

  /** → : open, or go to the first one below. */
  into(): void {
    const row = this.rows()[this.index()];
    if (row?.isOpen === false) {
      this.toggle(row);
    } else if (row?.isOpen) {
      this.move(1);
    }
  }

  /** ← : close, or go to what it is below. */
  out(): void {
    const seen = this.rows();
    const index = this.index();
    const row = seen[index];
    if (row?.isOpen) {
      this.toggle(row);
      return;
    }
    for (let i = index - 1; i >= 0; i--) {
      if (seen[i].depth < row.depth) {
        this.go(seen[i]);
        return;
      }
    }
  }

  /** Select the action that began before or after the selected one. */
  step(by: number, order: readonly string[]): void {
    const index = order.indexOf(this.action);
    const next = order[Math.max(0, Math.min(order.length - 1, index + by))];
    if (next !== undefined) {
      this.select(next);
    }
  }

  private redo(): void {
    this.seen = undefined;
    this.hasChanged.emit();
  }

  private readonly hasChanged = new Signal<RowsModel, void>(this);
  private readonly toggled = new Set<string>();
  private wanted = NO_FILTER;
  private action = ROOT_KEY;
  private at = ROOT_KEY;
  private grownOf: readonly IActionRow[] | undefined;
  private grown: ITree | undefined;
  private seen: readonly ITreeRow[] | undefined;
}
