import { expect, it } from 'vitest';

import { drawn, pageOf, revealing, withRoom } from './scroll';

const list = { top: 0, height: 240, rowHeight: 24, count: 10_000 };

it('draws the rows that can be seen, and a few beyond', () => {
  expect(drawn(list)).toEqual([0, 17]);
  expect(drawn({ ...list, top: 24_000 })).toEqual([992, 1017]);
  expect(drawn({ ...list, top: 24 * 10_000 - 240 })).toEqual([9982, 9999]);
});

it('draws what there is of a short list, and nothing of an empty one', () => {
  expect(drawn({ ...list, count: 3 })).toEqual([0, 2]);
  const [first, last] = drawn({ ...list, count: 0 });
  expect(last).toBeLessThan(first);
});

it('draws the last rows when a list became shorter than it was scrolled', () => {
  expect(drawn({ ...list, top: 24_000, count: 5 })).toEqual([4, 4]);
});

it('scrolls as little as shows a row', () => {
  expect(revealing(list, 3)).toBe(0);
  expect(revealing(list, 10)).toBe(24);
  expect(revealing({ ...list, top: 480 }, 5)).toBe(120);
});

it('keeps a row of the old page in sight', () => {
  expect(pageOf(list)).toBe(9);
});

it('gives a section that is opened for the first time as much room as the others have', () => {
  expect(withRoom([1, 0, 0], 1)).toEqual([1, 1, 0]);
  expect(withRoom([0.75, 0.25, 0], 2)).toEqual([0.75, 0.25, 0.5]);
  expect(withRoom([0.75, 0.25, 0], 1)).toEqual([0.75, 0.25, 0]);
});
