import { expect, test } from 'vitest';

import { firstCells } from './firstnotebook';

test('a new notebook has the environment of the profile', () => {
  const start = '%load_ext flyte_jupyter\nimport flyte_jupyter as flyte\n\n';
  expect(firstCells()[1].source).toBe(`${start}env = flyte.TaskEnvironment(name="first")`);
  expect(firstCells({ name: 'p', queue: 'gpu' })[1].source).toBe(
    `${start}env = flyte.TaskEnvironment(name="first", queue="gpu")`
  );
});
