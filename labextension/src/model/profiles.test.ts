import { expect, test } from 'vitest';

import { environmentOf, optionsOf, profileOf, type IProfile } from './profiles';

const LARGE: IProfile = {
  name: 'large',
  mode: 'remote',
  queue: "ada's team",
  cpu: '4',
  memory: '16Gi',
  gpu: 'A100:1'
};

test('a profile is found by its name', () => {
  expect(profileOf([LARGE], 'large')).toBe(LARGE);
  expect(profileOf([LARGE], '')).toBeUndefined();
});

test('a profile is options of a cell magic', () => {
  expect(optionsOf(undefined)).toBe('');
  expect(optionsOf({ name: 'here', mode: 'local', queue: '' })).toBe('--mode local');
  expect(optionsOf(LARGE)).toBe(
    `--mode remote --queue 'ada'"'"'s team' --cpu 4 --memory 16Gi --gpu A100:1`
  );
});

test('a profile is an environment in Python', () => {
  expect(environmentOf(undefined, 'first')).toBe('env = flyte.TaskEnvironment(name="first")');
  expect(environmentOf({ name: 'here', mode: 'local' }, 'a')).toBe(
    'flyte.init(mode="local")\nenv = flyte.TaskEnvironment(name="a")'
  );
  expect(environmentOf({ ...LARGE, mode: '', queue: 'team "a"' }, 'a')).toBe(
    'env = flyte.TaskEnvironment(name="a", queue="team \\"a\\"", ' +
      'resources=flyte.Resources(cpu=4, memory="16Gi", gpu="A100:1"))'
  );
});
