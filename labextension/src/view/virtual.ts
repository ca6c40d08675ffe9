import { useEffect, useState, type RefObject } from 'react';

/** Rows that are drawn beyond those that are seen, on either side. */
const MORE = 10;

/** Rows that are to be drawn: from `first` on, without `last`. */
export interface IWindow {
  first: number;
  last: number;
}

/** Which rows of a scrolled list are seen; pure. */
export function windowOf(top: number, height: number, row: number, count: number): IWindow {
  const first = Math.max(0, Math.min(count, Math.floor(top / row)) - MORE);
  return { first, last: Math.min(count, Math.ceil((top + height) / row) + MORE) };
}

/** Where a list has to be scrolled to, so that a row is seen; `top` when it is seen already. */
export function scrolledTo(index: number, top: number, height: number, row: number): number {
  const above = (index + 1) * row - height;
  return index * row < top ? index * row : Math.max(top, above);
}

/** The rows of a list that are seen, of all the same height. */
export function useWindow(
  list: RefObject<HTMLElement>,
  row: number,
  count: number,
  shown = true
): IWindow {
  const [{ top, height }, set] = useState({ top: 0, height: 600 });
  useEffect(() => {
    const element = list.current;
    if (!element) {
      return;
    }
    const look = () => set({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [list, shown]);
  return windowOf(top, height, row, count);
}
