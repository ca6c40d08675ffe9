import { expect, it } from 'vitest';

import { python, words } from './magic_line';

function read(line: string): string[][] {
  return words(line).map(({ from, to, kind }) => [line.slice(from, to), kind]);
}

it('reads the words of a magic', () => {
  expect(read('%%flyte_task fit --cpu 1 -o total --name "a b" --retries={n + 1} # why')).toEqual([
    ['%%flyte_task', 'magic'],
    ['fit', 'value'],
    ['--cpu', 'option'],
    ['1', 'value'],
    ['-o', 'option'],
    ['total', 'value'],
    ['--name', 'option'],
    ['"a b"', 'text'],
    ['--retries', 'option'],
    ['=', 'value'],
    ['{n + 1}', 'value'],
    ['# why', 'comment']
  ]);
});

it('leaves the Python of a call to those who know it', () => {
  expect(read('run = %flyte_run fit(rows, n=-1) --retries 0')).toEqual([
    ['%flyte_run', 'magic'],
    ['--retries', 'option'],
    ['0', 'value']
  ]);
  expect(read('%flyte_run fit')).toEqual([['%flyte_run', 'magic']]);
});

it('has nothing to say of other lines', () => {
  expect(read('x = 1 % flyte_task')).toEqual([]);
  expect(read('%matplotlib inline')).toEqual([]);
  expect(read('# %flyte_env a')).toEqual([]);
});

it('blanks what is no Python', () => {
  expect(python('%%flyte_task a\nimport os\nx = %flyte_run f\n!ls')).toBe(
    `${' '.repeat(14)}\nimport os\n${' '.repeat(16)}\n   `
  );
});
