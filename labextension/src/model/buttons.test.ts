import { expect, test } from 'vitest';

import { buttonsOf, copiesOf, menuOf } from './buttons';

const offered = (...names: string[]) =>
  names.map(name => ({ name, label: `${name} it`, code: `%${name}` }));

test('what can be done has a button, then comes the run itself', () => {
  const made = buttonsOf('r1', offered('logs', 'rerun', 'memory'));
  expect(made.map(each => each.command)).toEqual([
    'flyte:rerun',
    'flyte:open-logs',
    'flyte:open-run'
  ]);
  expect(made[0].args).toEqual({ run: 'r1' });
});

test('a run that goes on is cancelled after a question', () => {
  expect(buttonsOf('r1', offered('cancel'))[0].command).toBe('flyte:confirm-cancel');
});

test('what has no command of ours is code for a new cell', () => {
  expect(menuOf('r1', offered('rerun', 'value', 'memory'))).toEqual([
    { command: 'flyte:attach', args: { run: 'r1' } },
    { command: 'flyte:insert-code', args: { code: '%memory', label: 'memory it' } }
  ]);
});

test('all code can be copied', () => {
  expect(copiesOf(offered('rerun', 'kubectl')).map(each => each.args)).toEqual([
    { code: '%rerun', label: 'rerun it' },
    { code: '%kubectl', label: 'kubectl it' }
  ]);
});
