/** Rows of one height, of which only those are drawn that can be seen; pure arithmetic, in pixels. */
export interface IViewport {
  /** How far it was scrolled. */
  readonly top: number;
  readonly height: number;
  /** Of a row. */
  readonly rowHeight: number;
  /** How many rows there are. */
  readonly count: number;
}

/** Rows beyond either end that are drawn, too, so that nothing is blank while one scrolls. */
const MORE = 8;

/** The first and the last row that are to be drawn; the last is before the first when there are none. */
export function drawn({ top, height, rowHeight, count }: IViewport): [number, number] {
  const first = Math.floor(top / rowHeight) - MORE;
  const last = Math.ceil((top + height) / rowHeight) - 1 + MORE;
  return [Math.max(0, Math.min(first, count - 1)), Math.min(last, count - 1)];
}

/** How far to scroll so that a row is wholly seen: as little as possible. */
export function revealing({ top, height, rowHeight }: IViewport, row: number): number {
  const [above, below] = [row * rowHeight, (row + 1) * rowHeight - height];
  return Math.max(0, Math.min(above, Math.max(below, top)));
}

/** How many rows a page is, for the keys: one of the old page stays in sight. */
export function pageOf({ height, rowHeight }: IViewport): number {
  return Math.max(1, Math.floor(height / rowHeight) - 1);
}

/** The sizes of sections when one is opened that has none yet: as much as the others have on average. */
export function withRoom(sizes: readonly number[], opened: number): number[] {
  const others = sizes.filter(size => size > 0);
  if (sizes[opened] > 0 || !others.length) {
    return [...sizes];
  }
  const mean = others.reduce((sum, size) => sum + size, 0) / others.length;
  return sizes.map((size, index) => (index === opened ? mean : size));
}
