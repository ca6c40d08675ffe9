import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { LogLine, LogModel } from '../../model/viewer_logs';
import { LogSearch } from '../../model/viewer_search';
import { useDrawn } from '../virtual';
import { marked, pieces, plain, type ILook } from './ansi';
import { LogBar } from './bar';
import { Looks } from './looks';

const ROW = 18;
/** Characters of a line that are shown; the file has all of it. */
const LONGEST = 10_000;

/** The log of an attempt, of which only what is seen is drawn; follows its end unless one scrolls up. */
export function Log(props: {
  log: LogModel;
  url: string;
  attempts: number;
  choose: (attempt: number) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { log, trans } = props;
  const search = React.useMemo(() => new LogSearch(log, plain), [log]);
  const looks = React.useMemo(() => new Looks(log), [log]);
  const [, redraw] = React.useReducer((count: number) => count + 1, 0);
  const [follows, follow] = React.useState(true);
  const [hasTimes, showTimes] = React.useState(false);
  const list = React.useRef<HTMLDivElement>(null);
  const [first, last] = useDrawn(list, ROW, log.total);

  React.useEffect(() => {
    log.changed.connect(redraw);
    search.changed.connect(redraw);
    return () => {
      log.changed.disconnect(redraw);
      search.dispose();
    };
  }, [log, search]);
  React.useEffect(() => log.need(first, last + 1), [log, first, last, log.total]);
  React.useLayoutEffect(() => {
    if (follows && list.current && search.line < 0) {
      list.current.scrollTop = log.total * ROW;
    }
  }, [follows, log.total, log, search.line]);
  React.useLayoutEffect(() => {
    if (search.line >= 0 && list.current) {
      follow(false);
      list.current.scrollTop = search.line * ROW - list.current.clientHeight / 2;
    }
  }, [search.line, search.text, search]);
  const scrolled = (event: React.UIEvent<HTMLDivElement>) => {
    const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
    follow(scrollTop + clientHeight >= scrollHeight - ROW);
  };
  const lines = [];
  for (let index = first; index <= last; index++) {
    lines.push(
      <Line
        key={index}
        index={index}
        line={log.line(index)}
        before={looks.before(index)}
        start={hasTimes ? log.line(0)?.[0] : undefined}
        text={search.text}
        isAt={index === search.line}
      />
    );
  }
  return (
    <div className="flyte-Log">
      <LogBar
        {...props}
        search={search}
        follows={follows}
        follow={follow}
        hasTimes={hasTimes}
        showTimes={showTimes}
      />
      {log.problem && <div className="flyte-Problem">{log.problem}</div>}
      <div
        ref={list}
        className="flyte-Log-lines"
        role="log"
        aria-live="off"
        aria-label={trans.__('Log, %1 lines', log.total)}
        tabIndex={0}
        onScroll={scrolled}
      >
        {log.isLoaded && log.total === 0 && (
          <div className="flyte-Empty">
            {log.isComplete ? trans.__('Nothing was printed.') : trans.__('Nothing so far.')}
          </div>
        )}
        <div style={{ height: log.total * ROW }}>
          <div className="flyte-Log-window" style={{ transform: `translateY(${first * ROW}px)` }}>
            {lines}
          </div>
        </div>
      </div>
    </div>
  );
}

const Line = React.memo(function Line(props: {
  index: number;
  line: LogLine | undefined;
  before: ILook;
  start: number | undefined;
  text: string;
  isAt: boolean;
}): JSX.Element {
  const [at, stream, text] = props.line ?? [0, 'stdout', ''];
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return (
    <div className="flyte-Log-line" data-stream={stream} data-at={props.isAt}>
      <span className="flyte-Log-number" aria-hidden={true}>
        {props.index + 1}
      </span>
      {props.start !== undefined && (
        <span className="flyte-Log-time">+{Math.max(0, at - props.start).toFixed(2)}</span>
      )}
      <span className="flyte-Log-text">
        {marked(pieces(shown, props.before), props.text).map((piece, i) => (
          <span
            key={i}
            className={piece.classes || undefined}
            style={
              piece.color || piece.background
                ? { color: piece.color, background: piece.background }
                : undefined
            }
          >
            {piece.text}
          </span>
        ))}
      </span>
    </div>
  );
});
