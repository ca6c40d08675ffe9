import { useEffect, useState, type RefObject } from 'react';

import { drawn } from '../model/scroll';

/** The first and the last row of a scrolled list that are to be drawn; all are of one height. */
export function useDrawn(
  list: RefObject<HTMLElement>,
  rowHeight: number,
  count: number
): [number, number] {
  const [viewport, set] = useState({ top: 0, height: 600 });
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
  }, [list]);
  return drawn({ ...viewport, rowHeight, count });
}
