import { expect, test } from 'vitest';

import { firstCells } from './firstnotebook';

test.each([
  ['', 'import flyte_jupyter as flyte\n\nenv = flyte.TaskEnvironment(name="first")'],
  ['remote', 'flyte.init(mode="remote")\nenv = flyte.TaskEnvironment(name="first")'],
  ['team "a"', 'env = flyte.TaskEnvironment(name="first", queue="team \\"a\\"")']
])('a new notebook runs where the profile %j says', (profile, expected) => {
  expect(firstCells(profile)[1].source).toContain(expected);
});
