import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Polled } from './polled';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('asks while somebody looks, and says what is new', async () => {
  let asked = 0;
  let answer = [1];
  const polled = new Polled('numbers', async () => (asked++, answer), 2);
  let told = 0;
  polled.changed.connect(() => told++);
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).toBe(0);
  polled.isSeen = true;
  await vi.advanceTimersByTimeAsync(4500);
  expect([asked, told, polled.answer]).toEqual([3, 1, [1]]);
  answer = [1, 2];
  await vi.advanceTimersByTimeAsync(2000);
  expect([told, polled.answer]).toEqual([2, [1, 2]]);
  polled.isSeen = false;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toBe(4);
});

it('asks again when somebody begins to look, and when it is told to', async () => {
  let asked = 0;
  const polled = new Polled('clusters', async () => asked++, 3600);
  polled.isSeen = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toBe(1);
  polled.isSeen = false;
  await vi.advanceTimersByTimeAsync(10);
  polled.isSeen = true;
  await vi.advanceTimersByTimeAsync(10);
  await polled.refresh();
  await vi.advanceTimersByTimeAsync(10);
  expect(asked).toBe(3);
});

it('says why there is no answer, and keeps the last one', async () => {
  let fails = false;
  const ask = async () => {
    if (fails) {
      throw new Error('The Host does not answer.');
    }
    return [1];
  };
  const polled = new Polled('pools', ask, 2);
  polled.isSeen = true;
  await vi.advanceTimersByTimeAsync(10);
  fails = true;
  await vi.advanceTimersByTimeAsync(2500);
  expect([polled.problem, polled.answer]).toEqual(['The Host does not answer.', [1]]);
  fails = false;
  await polled.refresh();
  await vi.advanceTimersByTimeAsync(10);
  expect(polled.problem).toBe('');
});
