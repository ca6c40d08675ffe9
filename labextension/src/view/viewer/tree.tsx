import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { isOver } from '../../model/runs';
import type { RowsModel } from '../../model/viewer_rows';
import type { ITreeRow } from '../../model/viewer_tree';
import { duration } from '../../model/times';
import { phaseWord } from '../phase';
import { PHASES } from '../words';
import { pageOf, revealing } from '../../model/scroll';
import { useDrawn } from '../virtual';
import { Phase } from './phase';
import { spanOf } from '../timeline/layout';

const ROW = 24;

/** The actions of a run and what they have called, as a treegrid; used with the keyboard alone. */
export function Tree(props: {
  model: RowsModel;
  now: number;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const list = React.useRef<HTMLDivElement>(null);
  const id = React.useId();
  const rows = model.rows();
  const count = rows.length;
  const [first, last] = useDrawn(list, ROW, count);
  const cursor = model.index();
  const viewport = () => {
    const { scrollTop: top = 0, clientHeight: height = 0 } = list.current ?? {};
    return { top, height, rowHeight: ROW, count };
  };
  React.useEffect(() => {
    if (list.current && cursor >= 0) {
      list.current.scrollTop = revealing(viewport(), cursor);
    }
    // only when it goes elsewhere: one may scroll away from it
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [model.cursor]);
  const page = () => pageOf(viewport());
  const keys: Record<string, () => void> = {
    ArrowDown: () => model.move(1),
    ArrowUp: () => model.move(-1),
    PageDown: () => model.move(page()),
    PageUp: () => model.move(-page()),
    Home: () => model.move(-count),
    End: () => model.move(count),
    ArrowRight: () => model.into(),
    ArrowLeft: () => model.out(),
    Enter: () => rows[cursor] && model.toggle(rows[cursor]),
    ' ': () => rows[cursor] && model.toggle(rows[cursor])
  };
  const press = (event: React.KeyboardEvent) => {
    if (keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      keys[event.key]();
    }
  };
  return (
    <div
      ref={list}
      className="flyte-Tree"
      role="treegrid"
      tabIndex={0}
      aria-label={trans.__('Actions')}
      aria-rowcount={count}
      aria-activedescendant={cursor >= first && cursor <= last ? `${id}-${cursor}` : undefined}
      onKeyDown={press}
    >
      <div role="presentation" style={{ height: count * ROW }}>
        <div role="rowgroup" style={{ transform: `translateY(${first * ROW}px)` }}>
          {rows.slice(first, last + 1).map((row, i) => (
            <Row
              key={row.key}
              id={`${id}-${first + i}`}
              row={row}
              index={first + i}
              isCursor={first + i === cursor}
              isSelected={row.key === model.selected}
              {...props}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface IRowProps {
  id: string;
  row: ITreeRow;
  index: number;
  isCursor: boolean;
  isSelected: boolean;
  model: RowsModel;
  now: number;
  trans: TranslationBundle;
}

function Row(props: IRowProps): JSX.Element {
  const { row, model, trans } = props;
  const { action } = row;
  return (
    <div
      id={props.id}
      role="row"
      className="flyte-Tree-row"
      aria-level={row.depth + 1}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-rowindex={props.index + 1}
      aria-expanded={row.isOpen ?? undefined}
      aria-selected={props.isSelected}
      data-cursor={props.isCursor}
      title={action?.reason || undefined}
      onClick={() => model.go(row)}
      onDoubleClick={() => model.toggle(row)}
    >
      <span role="gridcell" className="flyte-Tree-name" style={{ paddingLeft: 14 * row.depth }}>
        <span
          className="flyte-Tree-twist"
          aria-hidden={true}
          data-open={row.isOpen ?? undefined}
          onClick={event => {
            event.stopPropagation();
            model.toggle(row);
          }}
        />
        {action && <Phase phase={action.phase} trans={trans} isSmall />}
        <span className="flyte-Tree-title">{row.title}</span>
        {action ? (
          <span className="flyte-Tree-id" title={action.name}>
            {action.name.slice(0, 7)}
          </span>
        ) : (
          <span className="flyte-Tree-id">× {row.size.toLocaleString()}</span>
        )}
      </span>
      <span role="gridcell" className="flyte-Tree-about">
        {action ? about(props) : <Counts row={row} trans={trans} />}
      </span>
    </div>
  );
}

function about({ row, now, trans }: IRowProps): string {
  const { action } = row;
  if (!action) {
    return '';
  }
  const tried = action.attempt > 0 ? trans.__('attempt %1 · ', action.attempt + 1) : '';
  if (action.is_cached) {
    return trans.__('cached');
  }
  const waits = !isOver(action.phase) && action.phase !== 'running';
  const [start, end] = spanOf(action, now);
  return tried + (waits ? phaseWord(action.phase, trans) : duration(end - start));
}

function Counts({ row, trans }: { row: ITreeRow; trans: TranslationBundle }): JSX.Element {
  return (
    <>
      {PHASES.filter(phase => row.counts[phase]).map(phase => (
        <span key={phase} className="flyte-Tree-count">
          {(row.counts[phase] ?? 0).toLocaleString()}
          <Phase phase={phase} trans={trans} isSmall />
        </span>
      ))}
    </>
  );
}
