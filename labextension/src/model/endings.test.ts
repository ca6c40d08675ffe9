import { expect, test } from 'vitest';

import { aRun } from '../../test/fake';
import { countsOf } from './counts';
import { Endings, isTold } from './endings';

const ON = { notifications: true, notifyAfter: 60 };
const ended = (name: string) => aRun({ name, phase: 'succeeded', ended: 1_795_000_010 });

test('an end is told once, of what was open and of what is new', () => {
  const endings = new Endings([aRun({ name: 'r2' }), ended('r1')]);
  expect(endings.take([ended('r1'), ended('r2')]).map(run => run.name)).toEqual(['r2']);
  expect(endings.take([ended('r2'), ended('r3')]).map(run => run.name)).toEqual(['r3']);
  expect(endings.take([ended('r3'), aRun({ name: 'r4' })])).toEqual([]);
  expect(endings.take([ended('r4')]).map(run => run.name)).toEqual(['r4']);
});

test('what ended long ago and comes later, as from the past, is not told', () => {
  expect(new Endings([ended('r5')]).take([ended('r4')])).toEqual([]);
});

test.each([
  ['its notebook is not to be seen', {}, false, ON, true],
  ['it is to be seen', {}, true, ON, false],
  ['it took long', { ended: 1_795_000_061 }, true, ON, true],
  ['that is never told', { ended: 1_795_009_999 }, true, { ...ON, notifyAfter: 0 }, false],
  ['its notebook is not open', {}, undefined, ON, false],
  ['there are none', {}, false, { ...ON, notifications: false }, false],
  ['it was cancelled', { phase: 'aborted' as const }, false, ON, false],
  ['it failed', { phase: 'failed' as const }, false, ON, true],
  ['it is from the cache', { is_cached: true }, false, ON, false]
])('a notification when %s', (_, given, isSeen, settings, expected) => {
  expect(isTold({ ...ended('r1'), ...given }, isSeen, settings)).toBe(expected);
});

test('what has not ended runs or waits', () => {
  const phases = ['running', 'queued', 'initializing', 'waiting_for_resources', 'failed'] as const;
  expect(countsOf(phases.map(phase => aRun({ phase })))).toEqual({ running: 1, waiting: 3 });
});
