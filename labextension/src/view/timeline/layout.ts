import type { IActionRow, PhaseName } from '../../api/generated';
import { isOver } from '../../model/runs';

/** So many actions are shown with the time that they waited; of more than that only what ran is packed. */
export const FEW = 200;

/** An action in the timeline: `end` is Infinity for one that goes on. */
export interface IBar {
  action: IActionRow;
  lane: number;
  start: number;
  end: number;
}

/** Bars in lanes that they share one after the other; `byLane` has them in the order of their time. */
export interface ILayout {
  bars: IBar[];
  byLane: IBar[][];
  start: number;
  waiting: number; // actions that have no bar yet
}

/** How a stretch of time looks: as its phase, or for one that was executed, as what became of the attempt. */
export interface IPart {
  look: PhaseName;
  start: number;
  end: number;
  attempt: number;
}

/** From when to when an action was worked at, or is until now; from when it was queued if it never was. */
export function spanOf(action: IActionRow, now: number): [number, number] {
  const { history } = action;
  if (!history.length) {
    return [now, now];
  }
  const first = history.find(({ phase }) => phase === 'running') ?? history[0];
  const end = isOver(action.phase) ? history[history.length - 1].at : now;
  return [first.at, Math.max(first.at, end)];
}

/** The actions of a run that was submitted at a time: from then on its first one waited. */
export function since(created: number | undefined, actions: readonly IActionRow[]): IActionRow[] {
  return actions.map(action => {
    const first = action.history[0];
    if (action.parent !== null || created === undefined || !first || first.at <= created) {
      return action;
    }
    const waited = { ...first, phase: 'queued' as const, at: created, step: '' };
    return { ...action, history: [waited, ...action.history] };
  });
}

/** Put actions into as few lanes as there is room in, none above the one that has called it. */
export function pack(actions: readonly IActionRow[]): ILayout {
  const isWhole = actions.length <= FEW;
  const bars: IBar[] = [];
  for (const action of actions) {
    const { history } = action;
    const ran = history.find(
      ({ phase }) => phase !== 'queued' && phase !== 'waiting_for_resources'
    );
    const from = isWhole || action.parent === null ? history[0] : ran;
    if (from) {
      const end = isOver(action.phase) ? history[history.length - 1].at : Infinity;
      bars.push({ action, lane: 0, start: from.at, end: Math.max(from.at, end) });
    }
  }
  bars.sort((a, b) => a.start - b.start);
  const lanes = new Map<string, number>();
  const byLane: IBar[][] = [];
  for (const bar of bars) {
    const above = bar.action.parent === null ? undefined : lanes.get(bar.action.parent);
    let lane = above === undefined ? 0 : above + 1;
    while (lane < byLane.length && !isFree(byLane[lane], bar)) {
      lane++;
    }
    bar.lane = lane;
    (byLane[lane] ??= []).push(bar);
    lanes.set(bar.action.name, lane);
  }
  for (let lane = 0; lane < byLane.length; lane++) {
    byLane[lane] ??= [];
  }
  const start = bars.length ? bars[0].start : 0;
  return { bars, byLane, start, waiting: actions.length - bars.length };
}

function isFree(lane: IBar[] | undefined, bar: IBar): boolean {
  return !lane?.length || lane[lane.length - 1].end <= bar.start;
}

/** The stretches of an action's time, each with its look. */
export function parts(action: IActionRow, now: number): IPart[] {
  const { history } = action;
  const out: IPart[] = [];
  for (let i = 0; i < history.length; i++) {
    const { phase, at, attempt } = history[i];
    if (isOver(phase)) {
      break;
    }
    const end = i + 1 < history.length ? history[i + 1].at : now;
    let look = phase;
    if (phase === 'running') {
      look = attempt < action.attempt ? 'failed' : action.phase;
      look = isOver(look) ? look : 'running';
    }
    const last = out[out.length - 1];
    if (last && last.look === look && last.attempt === attempt) {
      last.end = Math.max(at, end);
    } else {
      out.push({ look, start: at, end: Math.max(at, end), attempt });
    }
  }
  return out;
}

/** The bar at a moment in a lane; `slack` seconds beside one that is too short to be hit. */
export function barAt(layout: ILayout, lane: number, at: number, slack: number): IBar | undefined {
  const found = layout.byLane[lane] ?? [];
  let [low, high] = [0, found.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (found[middle].start <= at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const [before, after] = [found[low - 1], found[low]];
  if (before && at <= before.end) {
    return before;
  }
  const near = [before, after].filter(
    bar => bar && (at < bar.start ? bar.start - at : at - bar.end) <= slack
  );
  return near[0];
}
