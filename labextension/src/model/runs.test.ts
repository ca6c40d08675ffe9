import { expect, it } from 'vitest';

import { aRun, FakeServer } from '../../test/fake';
import { RunsModel } from './runs';

it('has the newest runs, and what the stream tells of them', async () => {
  const server = new FakeServer();
  server.set('runs', { runs: [aRun({ name: 'r2' }), aRun({ name: 'r1' })], offset: 0, total: 2 });
  const runs = new RunsModel(server.client, server.stream);
  await runs.refresh();
  expect(runs.all().map(run => run.name)).toEqual(['r2', 'r1']);
  server.socket.connect();
  expect(server.socket.told).toEqual([{ topics: ['runs'], start: {} }]);
  const changed = [aRun({ name: 'r1', phase: 'succeeded' }), aRun({ name: 'r3' })];
  server.socket.say({ topic: 'runs', changed, gone: ['r2'] });
  expect(runs.all().map(run => [run.name, run.phase])).toEqual([
    ['r3', 'running'],
    ['r1', 'succeeded']
  ]);
  expect(runs.open().map(run => run.name)).toEqual(['r3']);
});

it('says why there are none', async () => {
  const server = new FakeServer();
  const runs = new RunsModel(server.client, server.stream);
  await runs.refresh();
  expect(runs.problem).toBe('There is no runs?limit=200.');
});
