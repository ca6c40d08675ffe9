import { useEffect, useState, type RefObject } from 'react';

import type { IColours } from './draw';

/** The size of an element in pixels of the page. */
export function useSize(element: RefObject<HTMLElement>): { width: number; height: number } {
  const [size, set] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const found = element.current;
    if (!found) {
      return;
    }
    const observer = new ResizeObserver(() =>
      set({ width: found.clientWidth, height: found.clientHeight })
    );
    observer.observe(found);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

const NAMES: Record<keyof IColours, string> = {
  ok: '--flyte-ok',
  bad: '--flyte-bad',
  run: '--flyte-run',
  wait: '--flyte-wait',
  muted: '--flyte-muted',
  text: '--jp-ui-font-color0',
  line: '--jp-border-color2',
  back: '--jp-layout-color1'
};

/** What the page may be asked for, besides its theme, that changes its colours. */
const MEDIA = [
  '(forced-colors: active)',
  '(prefers-color-scheme: dark)',
  '(prefers-contrast: more)'
];

/** The colours that our variables have at an element; others when the theme is another. */
export function useColours(element: RefObject<HTMLElement>): IColours | null {
  const [colours, set] = useState<IColours | null>(null);
  useEffect(() => {
    const look = () => element.current?.parentElement && set(read(element.current.parentElement));
    const observer = new MutationObserver(look);
    observer.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
    const media = MEDIA.map(query => window.matchMedia(query));
    media.forEach(each => each.addEventListener('change', look));
    look();
    return () => {
      observer.disconnect();
      media.forEach(each => each.removeEventListener('change', look));
    };
  }, [element]);
  return colours;
}

/** By the colour that an element gets: a variable itself is only text. */
function read(parent: HTMLElement): IColours {
  const probe = document.createElement('span');
  parent.appendChild(probe);
  const entries = Object.entries(NAMES).map(([name, variable]) => {
    probe.style.color = `var(${variable})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries) as IColours;
}
