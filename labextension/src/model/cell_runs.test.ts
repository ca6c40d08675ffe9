import { expect, it } from 'vitest';

import { aRun, FakeServer } from '../../test/fake';
import { CellRuns, cellKey } from './cell_runs';
import { RunsModel } from './runs';

async function made() {
  const server = new FakeServer();
  const old = aRun({ name: 'r1', phase: 'failed' });
  server.set('runs', { runs: [aRun({ name: 'r2' }), old], offset: 0, total: 2 });
  const runs = new RunsModel(server.client, server.stream);
  await runs.refresh();
  const cells = new CellRuns(runs);
  const changes: string[][] = [];
  cells.changed.connect((_, touched) => changes.push([...touched]));
  server.socket.connect();
  return { server, cells, changes };
}

it('is the newest run of the cell', async () => {
  const { server, cells, changes } = await made();
  expect(cells.last(cellKey('work.ipynb', 'c1'))?.name).toBe('r2');
  expect(cells.last(cellKey('work.ipynb', 'c2'))).toBeUndefined();
  const older = aRun({ name: 'r1', phase: 'aborted' });
  server.socket.say({ topic: 'runs', changed: [older], gone: [] });
  expect([cells.last(cellKey('work.ipynb', 'c1'))?.name, changes]).toEqual(['r2', []]);
  const ended = aRun({ name: 'r2', phase: 'succeeded' });
  const other = aRun({ name: 'r3', cell: 'c2' });
  const unknown = aRun({ name: 'r4', cell: null });
  server.socket.say({ topic: 'runs', changed: [ended, other, unknown], gone: [] });
  expect(cells.last(cellKey('work.ipynb', 'c1'))?.phase).toBe('succeeded');
  expect(changes).toEqual([[cellKey('work.ipynb', 'c1'), cellKey('work.ipynb', 'c2')]]);
});

it('is the one before when that was deleted', async () => {
  const { server, cells, changes } = await made();
  server.socket.say({ topic: 'runs', changed: [], gone: ['r2'] });
  expect(cells.last(cellKey('work.ipynb', 'c1'))?.name).toBe('r1');
  server.socket.say({ topic: 'runs', changed: [], gone: ['r1'] });
  expect(cells.last(cellKey('work.ipynb', 'c1'))).toBeUndefined();
  expect(changes.length).toBe(2);
});
