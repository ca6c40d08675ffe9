import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { isOver } from '../../model/runs';
import { duration } from '../../model/times';
import type { ViewerModel } from '../../model/viewer';
import { isFiltering, matches } from '../../model/viewer_tree';
import { Small } from '../logs/bar';
import { phaseWord } from '../phase';
import { AXIS, draw, laneHeight } from './draw';
import { barAt, pack, since, spanOf, type IBar } from './layout';
import { pan, reveal, valueAt, zoom, type IRange } from './scale';
import { useColours, useSize } from './surface';

const STEP = 0.1;
const CLOSER = 0.7;

/** When actions ran, as bars; zoomed and moved by mouse and keyboard. The tree beside it says the same in words. */
export function Timeline(props: {
  model: ViewerModel;
  now: number;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const { rows } = model;
  const all = model.actions.all();
  const created = model.summary?.created;
  const actions = React.useMemo(() => since(created, all), [created, all]);
  const canvas = React.useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(canvas);
  const colours = useColours(canvas);
  const [view, setView] = React.useState<IRange | null>(null); // null: all of it
  const [top, setTop] = React.useState(0);
  const [hovered, hover] = React.useState<{ bar: IBar; x: number; y: number } | null>(null);
  const held = React.useRef<{ x: number; range: IRange; moved: boolean } | null>(null);

  const layout = React.useMemo(() => pack(actions), [actions]);
  const whole = React.useMemo(() => {
    const ends = layout.bars.map(({ end }) => (end === Infinity ? props.now : end));
    const end = ends.reduce((one, other) => Math.max(one, other), layout.start + 0.01);
    const size = end - layout.start;
    return { from: layout.start - size * 0.01, to: end + size * 0.02 };
  }, [layout, props.now]);
  const range = view ?? whole;
  const lane = laneHeight(layout.byLane.length, height);
  const most = Math.max(0, layout.byLane.length * lane + AXIS + 4 - height);
  const scrolled = Math.min(top, most);

  React.useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !colours || !width) {
      return;
    }
    const ratio = window.devicePixelRatio || 1;
    const { filter } = rows;
    fitTo(context.canvas, Math.round(width * ratio), Math.round(height * ratio));
    const isWanted = isFiltering(filter) ? (bar: IBar) => matches(bar.action, filter) : null;
    const { selected } = rows;
    const { now } = props;
    draw(context, {
      ...{ layout, range, width, height, top: scrolled, selected, isWanted, now, colours, ratio }
    });
  });

  const chosen = layout.bars.find(({ action }) => action.name === rows.selected);
  React.useEffect(() => {
    if (chosen) {
      const end = chosen.end === Infinity ? whole.to : chosen.end;
      setView(before => before && reveal(before, { from: chosen.start, to: end }, whole));
      setTop(before => Math.min(chosen.lane * lane, Math.max(before, chosen.lane * lane - 60)));
    }
    // only when another one is selected: what is looked at stays otherwise
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [rows.selected]);

  const change = (factor: number, x = width / 2) =>
    setView(zoom(range, factor, valueAt(x, range, width), whole));
  const shift = (share: number) => setView(pan(range, share * (range.to - range.from), whole));
  const order = () => layout.bars.map(({ action }) => action.name);

  const turn = React.useRef<(event: WheelEvent) => void>(() => undefined);
  turn.current = event => {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      change(Math.exp(event.deltaY * 0.002), event.offsetX);
    } else if (sideways) {
      event.preventDefault();
      shift(sideways / Math.max(width, 1));
    } else if (most > 0) {
      event.preventDefault();
      setTop(Math.max(0, Math.min(most, scrolled + event.deltaY)));
    }
  };
  React.useEffect(() => {
    const element = canvas.current;
    const wheel = (event: WheelEvent) => turn.current(event);
    element?.addEventListener('wheel', wheel, { passive: false });
    return () => element?.removeEventListener('wheel', wheel);
  }, []);

  const found = (x: number, y: number) => {
    const slack = (3 * (range.to - range.from)) / Math.max(width, 1);
    const number = Math.floor((y - AXIS - 2 + scrolled) / lane);
    return y > AXIS ? barAt(layout, number, valueAt(x, range, width), slack) : undefined;
  };
  const move = ({ nativeEvent: { offsetX: x, offsetY: y } }: React.PointerEvent) => {
    if (held.current) {
      const by =
        valueAt(0, held.current.range, width) -
        valueAt(x - held.current.x, held.current.range, width);
      held.current.moved ||= Math.abs(x - held.current.x) > 3;
      if (held.current.moved) {
        setView(pan(held.current.range, by, whole));
      }
    }
    const bar = held.current?.moved ? undefined : found(x, y);
    hover(bar ? { bar, x, y } : null);
  };
  const release = ({ nativeEvent: { offsetX: x, offsetY: y } }: React.PointerEvent) => {
    const bar = held.current?.moved ? undefined : found(x, y);
    held.current = null;
    if (bar) {
      rows.select(bar.action.name);
    }
  };
  const keys: Record<string, () => void> = {
    ArrowLeft: () => shift(-STEP),
    ArrowRight: () => shift(STEP),
    ArrowDown: () => rows.step(1, order()),
    ArrowUp: () => rows.step(-1, order()),
    '+': () => change(CLOSER),
    '=': () => change(CLOSER),
    '-': () => change(1 / CLOSER),
    '0': () => setView(null)
  };
  const press = (event: React.KeyboardEvent) => {
    if (keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      keys[event.key]();
    }
  };
  const row = chosen?.action;
  const about = row ? `${row.title}, ${phaseWord(row.phase, trans)}, ${length(row)}` : '';
  function length(action: IBar['action']): string {
    const [from, to] = spanOf(action, props.now);
    return duration(to - from);
  }
  return (
    <section className="flyte-Timeline" aria-label={trans.__('Timeline')}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label={trans.__(
          'Timeline of %1 actions, which are also in the tree. Up and down go to another one, left and right move, plus and minus zoom, 0 shows all. Selected: %2',
          actions.length,
          about
        )}
        onKeyDown={press}
        onPointerDown={event => {
          if (event.button === 0) {
            event.currentTarget.setPointerCapture(event.pointerId);
            held.current = { x: event.nativeEvent.offsetX, range, moved: false };
          }
        }}
        onPointerMove={move}
        onPointerUp={release}
        onPointerLeave={() => hover(null)}
        onDoubleClick={() => setView(null)}
      />
      <div className="flyte-Timeline-buttons">
        {layout.waiting > 0 && (
          <span className="flyte-Muted">
            {trans._n('%1 action waits', '%1 actions wait', layout.waiting)}
          </span>
        )}
        <Small label={trans.__('Zoom in')} click={() => change(CLOSER)}>
          +
        </Small>
        <Small label={trans.__('Zoom out')} disabled={!view} click={() => change(1 / CLOSER)}>
          −
        </Small>
        <Small label={trans.__('Show all')} disabled={!view} click={() => setView(null)}>
          ⤢
        </Small>
      </div>
      {hovered && (
        <div
          className="flyte-Timeline-tip"
          aria-hidden={true}
          data-phase={hovered.bar.action.phase}
          style={{ left: Math.min(hovered.x + 12, width - 200), top: hovered.y + 16 }}
        >
          <strong>{hovered.bar.action.title}</strong> {phaseWord(hovered.bar.action.phase, trans)},{' '}
          {length(hovered.bar.action)}
          {hovered.bar.action.attempt > 0 && (
            <>, {trans.__('attempt %1', hovered.bar.action.attempt + 1)}</>
          )}
          {!isOver(hovered.bar.action.phase) && hovered.bar.action.reason && (
            <div>{hovered.bar.action.reason}</div>
          )}
        </div>
      )}
    </section>
  );
}

/** A canvas gets new memory when its size is set, also to the same. */
function fitTo(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
}
