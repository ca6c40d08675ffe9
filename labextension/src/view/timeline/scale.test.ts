import { expect, it } from 'vitest';

import { moments, momentWord, pan, place, reveal, ticks, valueAt, zoom } from './scale';

const WHOLE = { from: 0, to: 100 };

it('goes from values to pixels and back', () => {
  expect(place(25, WHOLE, 400)).toBe(100);
  expect(valueAt(100, WHOLE, 400)).toBe(25);
});

it('zooms around a value, which stays where it is, and never beyond the whole', () => {
  const closer = zoom(WHOLE, 0.5, 20, WHOLE);
  expect(closer).toEqual({ from: 10, to: 60 });
  expect(place(20, closer, 400)).toBe(place(20, WHOLE, 400));
  expect(zoom(closer, 100, 20, WHOLE)).toEqual(WHOLE);
  expect(pan(closer, -50, WHOLE)).toEqual({ from: 0, to: 50 });
  expect(pan(closer, 500, WHOLE)).toEqual({ from: 50, to: 100 });
});

it('moves to what is not seen, and stays when it is', () => {
  expect(reveal({ from: 0, to: 10 }, { from: 5, to: 50 }, WHOLE)).toEqual({ from: 0, to: 10 });
  expect(reveal({ from: 0, to: 10 }, { from: 50, to: 52 }, WHOLE)).toEqual({ from: 46, to: 56 });
});

it('has round moments, counted from the beginning', () => {
  expect(moments({ from: 1000, to: 1060 }, 1000, 600)).toEqual([
    1000, 1010, 1020, 1030, 1040, 1050, 1060
  ]);
  expect(moments({ from: 1000.2, to: 1000.9 }, 1000, 300)).toEqual([1000.5]);
});

it('has round values, and powers of two for bytes', () => {
  expect(ticks({ from: 0, to: 2.3 }, 4)).toEqual([0, 1, 2]);
  expect(ticks({ from: 0, to: 300 << 20 }, 4, true)).toEqual([0, 128 << 20, 256 << 20]);
  expect(ticks({ from: 0, to: 0 }, 4)).toEqual([0]);
});

it('says a moment as exactly as its steps are', () => {
  expect(momentWord(0, 1)).toBe('0');
  expect(momentWord(0.05, 0.05)).toBe('0.05 s');
  expect(momentWord(30, 10)).toBe('30 s');
  expect(momentWord(125, 5)).toBe('2:05');
  expect(momentWord(3661, 60)).toBe('1:01:01');
});
