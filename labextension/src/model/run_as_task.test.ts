import { expect, it } from 'vitest';

import type { IDeclared } from '../api/generated';
import { plan } from './run_as_task';

function task(variable: string, line = 0, needs: string[] = []): IDeclared {
  const name = `env.${variable}`;
  return { kind: 'task', name, title: name, variable, environment: 'env', needs, line, about: '' };
}

function refused(): string {
  throw new Error('nobody asks for options here');
}

it('puts the magic above a plain cell', () => {
  expect(plan('x = 1', [])).toEqual({ kind: 'wrap', source: '%%flyte_task\nx = 1' });
  expect(plan('%%time\n\nx = 1', [])).toEqual({
    kind: 'wrap',
    source: '%%time\n\n%%flyte_task\nx = 1'
  });
  expect(plan('x = 1', [], () => '--cpu 2')).toEqual({
    kind: 'wrap',
    source: '%%flyte_task --cpu 2\nx = 1'
  });
});

it('runs a cell that is a task', () => {
  expect(plan('%%flyte_task a\nx = 1', [task('a')])).toEqual({ kind: 'run' });
  expect(plan('%%time\n%%flyte_task\nx = (', [])).toEqual({ kind: 'run' });
});

it('calls what a cell declares', () => {
  const code = '@env.task\ndef a(): ...\n@env.task\ndef b(x): ...';
  const declared = [task('a'), task('b', 2, ['x'])];
  expect(plan(code, declared)).toEqual({ kind: 'call', code: '%flyte_run a()' });
  expect(plan(code, declared, refused, 'b')).toEqual({ kind: 'call', code: '%flyte_override b' });
  expect(plan('%%flyte_task\ndef a(): ...', [task('a', 1)])).toEqual({
    kind: 'call',
    code: '%flyte_run a()'
  });
});

it('says why there is nothing to run', () => {
  expect(plan(' \n', [])).toEqual({ kind: 'refused', why: 'empty' });
  expect(plan('%%bash\nls', [])).toEqual({ kind: 'refused', why: 'magic', magic: '%%bash' });
  expect(plan('x = 1', [], refused, 'train')).toEqual({ kind: 'refused', why: 'no-task' });
});
