import { expect, it } from 'vitest';

import { complete } from './complete';

const KNOWN = { environments: ['prep', 'gpu_env'], tasks: ['fit', 'train'] };

function texts(before: string): string[] | null {
  return complete(before, KNOWN)?.items.map(item => item.text) ?? null;
}

it('offers magics', () => {
  expect(texts('%flyte_e')).toEqual(['%flyte_env', '%flyte_export']);
  expect(texts('%%flyte_t')).toEqual(['%%flyte_task']);
  expect(complete('x = %flyte_ru', KNOWN)).toMatchObject({ from: 4 });
  expect(texts('%matplot')).toBeNull();
  expect(texts('%')).toBeNull();
});

it('offers the options that are not given yet, with their help', () => {
  expect(texts('%%flyte_task --retr')).toEqual(['--retries']);
  expect(texts('%%flyte_task --retries 3 --retr')).toBeNull();
  expect(texts('%%flyte_task --secrets a --secr')).toEqual(['--secrets']);
  expect(texts('%flyte_env a --retr')).toBeNull();
  const help = complete('%flyte_env a --imag', KNOWN)?.items[0].help;
  expect(help).toContain('image');
});

it('offers what a value can be', () => {
  expect(texts('%%flyte_task --mode ')).toEqual(['local', 'remote']);
  expect(texts('%%flyte_task --mode=l')).toEqual(['local']);
  expect(texts('%%flyte_task --env p')).toEqual(['prep']);
  expect(texts('%flyte_run t')).toEqual(['train']);
  expect(texts('%flyte_run train --retries ')).toBeNull();
  expect(complete('%%flyte_task --mode lo', KNOWN)).toMatchObject({ from: 20 });
});

it('has nothing for other lines', () => {
  expect(texts('x = 1')).toBeNull();
  expect(texts('%time --f')).toBeNull();
});
