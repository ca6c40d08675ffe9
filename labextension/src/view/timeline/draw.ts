import type { PhaseName } from '../../api/generated';
import { parts, type IBar, type ILayout } from './layout';
import { moments, momentWord, place, type IRange } from './scale';

/** Pixels of the axis at the top. */
export const AXIS = 20;
const THIN = 3;
const TALL = 20;
const SHOWN_LABEL = 40;
/** Pixels at the right of the axis that buttons take. */
const BUTTONS = 84;

/** Colours of the theme. */
export interface IColours {
  ok: string;
  bad: string;
  run: string;
  wait: string;
  muted: string;
  text: string;
  line: string;
  back: string;
}

/** What is drawn. */
export interface IScene {
  layout: ILayout;
  range: IRange;
  width: number;
  height: number;
  /** Pixels that the lanes are scrolled by. */
  top: number;
  selected: string;
  /** Whether an action is wanted by the filter; null for all. */
  isWanted: ((bar: IBar) => boolean) | null;
  now: number;
  colours: IColours;
  ratio: number;
}

/** Pixels of a lane: as much as there is room for. */
export function laneHeight(lanes: number, height: number): number {
  return Math.max(THIN, Math.min(TALL, Math.floor((height - AXIS - 4) / Math.max(1, lanes))));
}

/** Draw a timeline; only what is seen of it, and what falls onto the same pixels once. */
export function draw(context: CanvasRenderingContext2D, scene: IScene): void {
  const { layout, width, height, ratio, colours } = scene;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = '11px ' + getComputedStyle(context.canvas).fontFamily;
  context.textBaseline = 'middle';
  drawAxis(context, scene);
  context.save();
  context.beginPath();
  context.rect(0, AXIS, width, height - AXIS);
  context.clip();
  const lane = laneHeight(layout.byLane.length, height);
  const first = Math.max(0, Math.floor(scene.top / lane));
  const last = Math.min(layout.byLane.length, Math.ceil((scene.top + height - AXIS) / lane));
  for (let i = first; i < last; i++) {
    drawLane(context, scene, layout.byLane[i], AXIS + 2 + i * lane - scene.top, lane);
  }
  const chosen = layout.bars.find(bar => bar.action.name === scene.selected);
  if (chosen) {
    const [x, end] = ends(chosen, scene);
    const y = AXIS + 2 + chosen.lane * lane - scene.top;
    context.strokeStyle = colours.text;
    context.lineWidth = 2;
    context.strokeRect(x - 1, y - 0.5, Math.max(4, end - x + 2), lane);
  }
  context.restore();
}

function ends(bar: IBar, { range, width, now }: IScene): [number, number] {
  const end = bar.end === Infinity ? Math.max(now, bar.start) : bar.end;
  return [place(bar.start, range, width), place(end, range, width)];
}

function drawAxis(context: CanvasRenderingContext2D, scene: IScene): void {
  const { range, layout, width, height, colours } = scene;
  const at = moments(range, layout.start, width);
  const step = at.length > 1 ? at[1] - at[0] : range.to - range.from;
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.muted;
  context.textAlign = 'left';
  for (const moment of at) {
    const x = Math.round(place(moment, range, width)) + 0.5;
    context.beginPath();
    context.moveTo(x, 4);
    context.lineTo(x, height);
    context.stroke();
    const said = momentWord(moment - layout.start, step);
    if (x + 4 + context.measureText(said).width < width - BUTTONS) {
      context.fillText(said, x + 4, AXIS / 2 + 1);
    }
  }
}

function drawLane(
  context: CanvasRenderingContext2D,
  scene: IScene,
  bars: IBar[],
  y: number,
  lane: number
): void {
  const { range, width } = scene;
  let drawn = -1; // up to which pixel something is
  for (let i = firstSeen(bars, range.from); i < bars.length; i++) {
    const bar = bars[i];
    const [x, end] = ends(bar, scene);
    if (x > width) {
      break;
    }
    const isSmall = end - x < 1 && Math.floor(end) === drawn;
    if (
      end < 0 ||
      (isSmall && (bar.action.phase === 'succeeded' || bar.action.phase === 'running'))
    ) {
      continue; // what went wrong is seen among thousands
    }
    drawn = Math.floor(end);
    drawBar(context, scene, bar, y, lane);
  }
}

/** The first bar that may reach into the range: those of a lane come one after the other. */
function firstSeen(bars: IBar[], from: number): number {
  let [low, high] = [0, bars.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle].end < from) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function drawBar(
  context: CanvasRenderingContext2D,
  scene: IScene,
  bar: IBar,
  y: number,
  lane: number
): void {
  const { range, width, colours, now } = scene;
  const size = lane > 5 ? lane - 2 : lane - (lane > THIN ? 1 : 0);
  context.globalAlpha = scene.isWanted && !scene.isWanted(bar) ? 0.2 : 1;
  let label: [number, number] | undefined;
  for (const { look, start, end } of parts(bar.action, now)) {
    const from = Math.max(-2, place(start, range, width));
    const to = Math.min(width + 2, place(end, range, width));
    if (to < 0 || from > width || end <= bar.start) {
      continue; // of many the time that they waited is not drawn: others ran in their lane
    }
    fill(context, scene, look, from, y, Math.max(1, to - from), size);
    const isSolid =
      look !== 'queued' && look !== 'waiting_for_resources' && look !== 'initializing';
    if (isSolid && (!label || to - from > label[1] - label[0])) {
      label = [Math.max(0, from), to];
    }
  }
  if (bar.action.is_cached) {
    const [x] = ends(bar, scene);
    context.strokeStyle = colours.ok;
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, 6, size - 1);
  }
  if (label && label[1] - label[0] > SHOWN_LABEL && size >= 11) {
    context.save();
    context.beginPath();
    context.rect(label[0], y, label[1] - label[0] - 3, size);
    context.clip();
    context.fillStyle = colours.back;
    context.textAlign = 'left';
    context.fillText(bar.action.title, label[0] + 5, y + size / 2 + 1);
    context.restore();
  }
  context.globalAlpha = 1;
}

/** What waits is a line, what is prepared is pale, what ran is full, and what went wrong has a pattern. */
function fill(
  context: CanvasRenderingContext2D,
  scene: IScene,
  look: PhaseName,
  x: number,
  y: number,
  width: number,
  size: number
): void {
  const { colours } = scene;
  const middle = y + Math.floor(size / 2);
  switch (look) {
    case 'queued':
      context.fillStyle = colours.muted;
      context.fillRect(x, middle, width, 1);
      return;
    case 'waiting_for_resources':
      context.fillStyle = colours.wait;
      for (let at = 0; at < width; at += 5) {
        context.fillRect(x + at, middle, Math.min(3, width - at), 2);
      }
      return;
    case 'initializing': {
      const alpha = context.globalAlpha;
      context.globalAlpha = 0.35 * alpha;
      context.fillStyle = colours.run;
      context.fillRect(x, y, width, size);
      context.globalAlpha = alpha;
      return;
    }
    case 'running':
      context.fillStyle = colours.run;
      break;
    case 'succeeded':
      context.fillStyle = colours.ok;
      break;
    case 'aborted':
      context.fillStyle = colours.wait;
      break;
    default:
      context.fillStyle = colours.bad;
  }
  context.fillRect(x, y, width, size);
  if (width >= 4 && size >= 4 && look !== 'running' && look !== 'succeeded') {
    context.fillStyle = pattern(context, look, colours.back);
    context.fillRect(x, y, width, size);
  }
}

const patterns = new Map<string, CanvasPattern | string>();

/** Lines to the right for what failed, to the left for what took too long, dots for what was stopped. */
function pattern(
  context: CanvasRenderingContext2D,
  look: PhaseName,
  colour: string
): CanvasPattern | string {
  const key = `${look} ${colour}`;
  let found = patterns.get(key);
  if (found === undefined) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = 8;
    const on = tile.getContext('2d');
    if (on) {
      on.strokeStyle = on.fillStyle = colour;
      on.globalAlpha = 0.55;
      if (look === 'aborted') {
        on.fillRect(1, 1, 2, 2);
        on.fillRect(5, 5, 2, 2);
      } else {
        const way = look === 'failed' ? [0, 8] : [8, 0];
        for (const shift of [-8, 0, 8]) {
          on.beginPath();
          on.moveTo(way[0] + shift, 0);
          on.lineTo(way[1] + shift, 8);
          on.stroke();
        }
      }
    }
    found = context.createPattern(tile, 'repeat') ?? 'transparent';
    patterns.set(key, found);
  }
  return found;
}
