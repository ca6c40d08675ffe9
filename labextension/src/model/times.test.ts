import { expect, it } from 'vitest';

import { age, duration } from './times';

it('says a duration in the units a person would use', () => {
  const said = [0, 0.25, 1, 9.96, 59, 60, 65, 3599, 3600, 7325].map(duration);
  expect(said).toEqual([
    '0.00 s',
    '0.25 s',
    '1.0 s',
    '10.0 s',
    '59 s',
    '1 min 00 s',
    '1 min 05 s',
    '59 min 59 s',
    '1 h 00 min',
    '2 h 02 min'
  ]);
});

it('says how long ago something was', () => {
  expect([3, 60, 7199, 90_000].map(age)).toEqual(['now', '1 min', '1 h', '1 d']);
});
