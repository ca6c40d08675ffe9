import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { FakeServer } from '../../test/fake';
import type { ICellFound, ICellSource, IDeclared } from '../api/generated';
import { CellsModel } from './cells';

function declared(kind: IDeclared['kind'], name: string): IDeclared {
  return {
    kind,
    name,
    title: name,
    variable: name,
    environment: '',
    needs: [],
    line: 0,
    about: ''
  };
}

function notebook(...sources: string[]): ICellSource[] {
  return sources.map((source, number) => ({ id: `c${number}`, source }));
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('window', globalThis);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('has environments and tasks with their cells, in the order of the notebook', async () => {
  const server = new FakeServer();
  const cells: ICellFound[] = [
    { id: 'c0', declared: [declared('environment', 'prep')], problems: [] },
    { id: 'c1', declared: [declared('task', 'clean'), declared('task', 'fit')], problems: [] }
  ];
  server.set('cells', { cells });
  const model = new CellsModel(server.client, () => notebook('a', 'b'));
  await model.refresh();
  expect(model.environments().map(one => [one.name, one.cell])).toEqual([['prep', 'c0']]);
  expect(model.tasks().map(one => [one.name, one.cell])).toEqual([
    ['clean', 'c1'],
    ['fit', 'c1']
  ]);
  expect(model.of('c1').length).toBe(2);
  expect(server.sent).toEqual([{ path: 'cells', body: { cells: notebook('a', 'b') } }]);
});

it('asks once when many changes come', async () => {
  const server = new FakeServer();
  server.set('cells', { cells: [] });
  const model = new CellsModel(server.client, () => notebook('a'));
  for (let number = 0; number < 10; number++) {
    model.touch();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(server.asked.length).toBe(0);
  await vi.advanceTimersByTimeAsync(400);
  expect(server.asked.length).toBe(1);
});

it('asks once more when something has changed while it asked', async () => {
  const server = new FakeServer();
  server.set('cells', { cells: [] });
  const model = new CellsModel(server.client, () => notebook('a'));
  await Promise.all([model.refresh(), model.refresh(), model.refresh()]);
  expect(server.asked.length).toBe(2);
});

it('says what is wrong only of what it has asked about', async () => {
  const server = new FakeServer();
  const problem = { line: 0, start: 1, end: 2, message: 'no option' };
  server.set('cells', { cells: [{ id: 'c0', declared: [], problems: [problem] }] });
  const model = new CellsModel(server.client, () => notebook('before'));
  await model.refresh();
  expect(model.problems('c0', 'before')).toEqual([problem]);
  expect(model.problems('c0', 'after')).toBeUndefined();
});

it('keeps what it knew when the server cannot be asked, and says why', async () => {
  const server = new FakeServer();
  server.set('cells', {
    cells: [{ id: 'c0', declared: [declared('task', 'fit')], problems: [] }]
  });
  const model = new CellsModel(server.client, () => notebook('a'));
  await model.refresh();
  server.answers.clear();
  let changes = 0;
  model.changed.connect(() => changes++);
  await model.refresh();
  expect([model.tasks().length, model.problem, changes]).toEqual([1, 'There is no cells.', 1]);
});

it('does nothing once it is disposed', async () => {
  const server = new FakeServer();
  const model = new CellsModel(server.client, () => notebook('a'));
  model.touch();
  model.dispose();
  model.touch();
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.asked).toEqual([]);
});
