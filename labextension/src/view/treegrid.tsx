import * as React from 'react';

import { drawn, pageOf, revealing, type IViewport } from '../model/scroll';
import { Row, type IRow } from './row';

/** What is shown as rows; a row that is not known yet is undefined. */
export interface ITreeGridProps {
  readonly label: string;
  readonly count: number;
  /** Of each row, in pixels. */
  readonly rowHeight: number;
  row(index: number): IRow | undefined;
  /** Where the row with a key is; -1 when it is not there. */
  indexOf(key: string): number;
  /** These rows are drawn. */
  onShow?(first: number, last: number): void;
}

/**
 * Rows of one height in two levels, of which only those are in the page that can be seen: the pattern "treegrid".
 *
 * One row can be reached by Tab; arrows move on, to the right into a row's buttons.
 */
export function TreeGrid(props: ITreeGridProps): JSX.Element {
  const { count, rowHeight, row, indexOf, onShow } = props;
  const node = React.useRef<HTMLDivElement>(null);
  const [viewport, setViewport] = React.useState({ top: 0, height: 0 });
  const [active, setActive] = React.useState({ index: 0, key: '' });
  const [hovered, setHovered] = React.useState('');
  const isMoved = React.useRef(false);
  const anchor = React.useRef({ key: '', index: 0 });

  const of: IViewport = { ...viewport, rowHeight, count };
  const [first, last] = drawn(of);
  const found = active.key ? indexOf(active.key) : -1;
  const current = Math.max(0, Math.min(found >= 0 ? found : active.index, count - 1));

  React.useLayoutEffect(() => {
    const element = node.current!;
    const measure = () => {
      if (element.clientHeight > 0) {
        // hidden it has none, and keeps its rows for when it is shown again
        setViewport({ top: element.scrollTop, height: element.clientHeight });
      }
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);

  React.useEffect(() => onShow?.(first, last), [first, last, count, onShow]);

  // What comes in above what is read does not move it; at the very top one sees what comes.
  React.useLayoutEffect(() => {
    const { key, index } = anchor.current;
    const now = viewport.top > 0 && key ? indexOf(key) : -1;
    if (now >= 0 && now !== index) {
      node.current!.scrollTop += (now - index) * rowHeight;
    }
    const top = Math.floor(viewport.top / rowHeight);
    anchor.current = { key: row(top)?.key ?? '', index: top };
  });

  React.useLayoutEffect(() => {
    if (isMoved.current) {
      isMoved.current = false;
      const element = node.current!;
      element.scrollTop = revealing(
        { ...of, top: element.scrollTop, height: element.clientHeight },
        current
      );
      element.querySelector<HTMLElement>(`[data-index="${current}"]`)?.focus();
    }
  });

  const move = (index: number) => {
    const to = Math.max(0, Math.min(index, count - 1));
    isMoved.current = true;
    setActive({ index: to, key: row(to)?.key ?? '' });
  };

  const onKeyDown = (event: React.KeyboardEvent) => {
    const here = row(current);
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) {
      return;
    }
    const done = onButton(event, () => move(current)) || onRow(event, here, current, of, row, move);
    if (done) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  const rows = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  if (count > 0 && (current < first || current > last)) {
    rows.push(current); // it has the focus, and keeps it while one scrolls
  }
  return (
    <div
      ref={node}
      className="flyte-TreeGrid"
      role="treegrid"
      aria-label={props.label}
      aria-rowcount={count}
      onScroll={event => {
        const { scrollTop, clientHeight } = event.currentTarget;
        setViewport({ top: scrollTop, height: clientHeight });
      }}
      onKeyDown={onKeyDown}
      onMouseOver={event => setHovered(keyAt(event.target))}
      onMouseLeave={() => setHovered('')}
      onFocus={event => {
        const key = keyAt(event.target);
        if (key && key !== active.key) {
          setActive({ index: indexOf(key), key });
        }
      }}
    >
      <div
        className="flyte-TreeGrid-space"
        role="presentation"
        style={{ height: count * rowHeight }}
      >
        {rows.map(index => {
          const made = row(index);
          return (
            <Row
              key={made?.key ?? index}
              row={made}
              index={index}
              height={rowHeight}
              isActive={index === current}
              hasButtons={made !== undefined && (index === current || made.key === hovered)}
            />
          );
        })}
      </div>
    </div>
  );
}

function keyAt(target: EventTarget): string {
  return (target as Element).closest<HTMLElement>('[data-key]')?.dataset.key ?? '';
}

/** Left and right among the buttons of a row. */
function onButton({ key, target, currentTarget }: React.KeyboardEvent, leave: () => void): boolean {
  const button = (target as Element).closest('button');
  if (!button || !currentTarget.contains(button)) {
    return false;
  }
  const next = key === 'ArrowRight' ? button.nextElementSibling : button.previousElementSibling;
  if (key === 'ArrowRight' || key === 'ArrowLeft') {
    if (next) {
      (next as HTMLElement).focus();
    } else if (key === 'ArrowLeft') {
      leave();
    }
    return true;
  }
  if (key === 'Escape') {
    leave();
    return true;
  }
  return false;
}

function onRow(
  { key, target }: React.KeyboardEvent,
  here: IRow | undefined,
  current: number,
  of: IViewport,
  row: (index: number) => IRow | undefined,
  move: (index: number) => void
): boolean {
  const isButton = (target as Element).closest('button') !== null;
  switch (key) {
    case 'ArrowDown':
      move(current + 1);
      return true;
    case 'ArrowUp':
      move(current - 1);
      return true;
    case 'PageDown':
      move(current + pageOf(of));
      return true;
    case 'PageUp':
      move(current - pageOf(of));
      return true;
    case 'Home':
      move(0);
      return true;
    case 'End':
      move(of.count - 1);
      return true;
    case 'ArrowRight':
      if (here?.isOpen === false) {
        here.toggle?.();
      } else if (here?.isOpen) {
        move(current + 1);
      } else {
        (target as Element).querySelector<HTMLElement>('button')?.focus();
      }
      return true;
    case 'ArrowLeft':
      if (here?.isOpen) {
        here.toggle?.();
      } else if (here?.level === 2) {
        let parent = current;
        while (parent > 0 && row(parent)?.level !== 1) {
          parent--;
        }
        move(parent);
      }
      return true;
    case 'Enter':
    case ' ':
      if (!isButton) {
        (here?.open ?? here?.toggle)?.();
      }
      return !isButton;
    case 'Delete':
      here?.remove?.();
      return here?.remove !== undefined;
    default:
      return false;
  }
}
