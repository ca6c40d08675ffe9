import type { IActionRow, PhaseName } from '../api/generated';

/** The first action of a run: its name, and the key of its row. */
export const ROOT_KEY = 'a0';
/** So many calls of one task by one caller are a group, closed at first. */
export const MANY = 20;

/** Which actions are wanted: with a text in name, title or task, in one of these phases; empty for all. */
export interface IFilter {
  text: string;
  phases: ReadonlySet<PhaseName>;
}

export const NO_FILTER: IFilter = { text: '', phases: new Set() };

/** One row of the tree: an action, or all calls of a task by one action. */
export interface ITreeRow {
  key: string;
  title: string;
  action: IActionRow | null;
  counts: Partial<Record<PhaseName, number>>;
  size: number;
  depth: number;
  isOpen: boolean | null; // null: there is nothing below it
  position: number; // among its siblings, from 1
  siblings: number;
}

/** Who has called what. */
export interface ITree {
  byName: ReadonlyMap<string, IActionRow>;
  called: ReadonlyMap<string | null, readonly IActionRow[]>;
}

export function isFiltering(filter: IFilter): boolean {
  return filter.text !== '' || filter.phases.size > 0;
}

/** Whether an action is wanted. */
export function matches(action: IActionRow, filter: IFilter): boolean {
  if (filter.phases.size && !filter.phases.has(action.phase)) {
    return false;
  }
  const text = filter.text.toLowerCase();
  return !text || `${action.title}\n${action.name}\n${action.task}`.toLowerCase().includes(text);
}

/** The tree of actions; what is called by an action that is not known stands at the top. */
export function grow(actions: readonly IActionRow[]): ITree {
  const byName = new Map(actions.map(action => [action.name, action]));
  const called = new Map<string | null, IActionRow[]>();
  for (const action of actions) {
    const parent = action.parent !== null && byName.has(action.parent) ? action.parent : null;
    const siblings = called.get(parent);
    if (siblings) {
      siblings.push(action);
    } else {
      called.set(parent, [action]);
    }
  }
  for (const siblings of called.values()) {
    siblings.sort((a, b) => begin(a) - begin(b) || order.compare(a.name, b.name));
  }
  return { byName, called };
}

const order = new Intl.Collator('en', { numeric: true });

function begin(action: IActionRow): number {
  return action.history.length ? action.history[0].at : Infinity;
}

/**
 * The rows that are seen, from top to bottom.
 *
 * @param toggled - keys of what is not open or closed as it would be: closed are groups, unless a filter is set.
 */
export function rows(tree: ITree, toggled: ReadonlySet<string>, filter: IFilter): ITreeRow[] {
  const wanted = isFiltering(filter) ? withCallers(tree, filter) : null;
  const out: ITreeRow[] = [];
  addCalled(null, 0);
  return out;

  function addCalled(parent: string | null, depth: number): void {
    const found = tree.called.get(parent) ?? [];
    const shown = wanted ? found.filter(action => wanted.has(action.name)) : found;
    const parts = grouped(shown);
    parts.forEach((part, index) => {
      const place = { depth, position: index + 1, siblings: parts.length };
      if (part.length === 1) {
        add(part[0], place);
        return;
      }
      const key = groupKey(parent, part[0].title);
      const isOpen = toggled.has(key) === (wanted === null);
      const title = part[0].title;
      const counts = countsOf(part);
      out.push({ key, title, action: null, counts, size: part.length, isOpen, ...place });
      if (isOpen) {
        part.forEach((action, i) =>
          add(action, { depth: depth + 1, position: i + 1, siblings: part.length })
        );
      }
    });
  }

  function add(
    action: IActionRow,
    place: { depth: number; position: number; siblings: number }
  ): void {
    const key = action.name;
    const hasCalled = (tree.called.get(key) ?? []).some(one => !wanted || wanted.has(one.name));
    const isOpen = hasCalled ? !toggled.has(key) : null;
    out.push({ key, title: action.title, action, counts: {}, size: 1, isOpen, ...place });
    if (isOpen) {
      addCalled(key, place.depth + 1);
    }
  }
}

/** The key of the row of all calls of a task by one action. */
export function groupKey(parent: string | null, title: string): string {
  return `${parent ?? ''}/${title}`;
}

/** What has to be opened so that an action is seen: keys of its groups and callers. */
export function above(tree: ITree, name: string): { groups: string[]; callers: string[] } {
  const groups: string[] = [];
  const callers: string[] = [];
  let action = tree.byName.get(name);
  while (action) {
    const parent = action.parent !== null && tree.byName.has(action.parent) ? action.parent : null;
    groups.push(groupKey(parent, action.title));
    if (parent !== null) {
      callers.push(parent);
    }
    action = parent === null ? undefined : tree.byName.get(parent);
  }
  return { groups, callers };
}

/** How many actions are in which phase. */
export function countsOf(actions: readonly IActionRow[]): Partial<Record<PhaseName, number>> {
  const counts: Partial<Record<PhaseName, number>> = {};
  for (const { phase } of actions) {
    counts[phase] = (counts[phase] ?? 0) + 1;
  }
  return counts;
}

/** Calls by task where there are many of one, and one by one where there are few; in their order. */
function grouped(actions: readonly IActionRow[]): IActionRow[][] {
  const byTitle = new Map<string, IActionRow[]>();
  for (const action of actions) {
    const same = byTitle.get(action.title);
    if (same) {
      same.push(action);
    } else {
      byTitle.set(action.title, [action]);
    }
  }
  const parts: IActionRow[][] = [];
  for (const action of actions) {
    const same = byTitle.get(action.title) ?? [];
    if (same.length < MANY) {
      parts.push([action]);
    } else if (same[0] === action) {
      parts.push(same);
    }
  }
  return parts;
}

function withCallers(tree: ITree, filter: IFilter): Set<string> {
  const wanted = new Set<string>();
  for (const action of tree.byName.values()) {
    if (matches(action, filter)) {
      let name: string | null = action.name;
      while (name !== null && !wanted.has(name)) {
        wanted.add(name);
        name = tree.byName.get(name)?.parent ?? null;
      }
    }
  }
  return wanted;
}
