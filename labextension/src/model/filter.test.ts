import { expect, it } from 'vitest';

import { aRun } from '../../test/fake';
import { EVERY_RUN, isEverything, matches, queryOf } from './filter';

const run = aRun({ task: 'prep.clean', title: 'clean', phase: 'failed', reason: 'No such file' });

it('finds runs by words, phase and task', () => {
  const found = (given: object) => matches(run, { ...EVERY_RUN, ...given });
  expect(found({})).toBe(true);
  expect(found({ text: ' CLEAN  file ' })).toBe(true);
  expect(found({ text: 'clean dirt' })).toBe(false);
  expect(found({ phases: ['failed', 'timed_out'] })).toBe(true);
  expect(found({ phases: ['running'] })).toBe(false);
  expect(found({ task: 'prep.clean' })).toBe(true);
  expect(found({ task: 'prep' })).toBe(false);
});

it('asks the server for nothing that is not given', () => {
  expect(queryOf(EVERY_RUN)).toEqual({ text: undefined, phase: undefined, task: undefined });
  expect(queryOf({ text: ' a ', phases: ['failed', 'timed_out'], task: 't' })).toEqual({
    text: 'a',
    phase: 'failed,timed_out',
    task: 't'
  });
  expect([isEverything(EVERY_RUN), isEverything({ ...EVERY_RUN, task: 't' })]).toEqual([
    true,
    false
  ]);
});
