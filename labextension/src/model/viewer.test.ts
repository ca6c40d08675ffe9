import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { anAction, aRun, FakeServer } from '../../test/fake';
import type { IActionDetail, IActionRow, IRunDetail, PhaseName } from '../api/generated';
import { ViewerModel } from './viewer';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const settled = () => vi.advanceTimersByTimeAsync(300);

function set(server: FakeServer, rows: IActionRow[], phase: PhaseName): void {
  const nothing = { description: '', docs: '', inputs: {}, result: null, config: [], notes: [] };
  const more = { links: [], commands: [], previous: null, source: [] };
  const detail: IRunDetail = { summary: aRun({ name: 'r1', phase }), ...nothing, ...more };
  server.set('runs/r1', detail);
  server.set('runs/r1/actions', rows);
  for (const row of rows) {
    const of = { attempts: [], requests: {}, limits: {}, inputs: {}, result: null, notes: [] };
    const rest = { links: [], cache: '', replica: '', pod: '', peak_memory: null, explanation: '' };
    const action: IActionDetail = { row, ...of, ...rest };
    server.set(`runs/r1/actions/${row.name}`, action);
  }
}

it('is live: what the stream tells is folded by name, and what is shown is looked at again', async () => {
  const server = new FakeServer();
  const running = anAction({ name: 'a0', took: [0, 1] });
  set(server, [running], 'running');
  const model = new ViewerModel(server.client, server.stream, 'r1');
  await model.load();
  await settled();
  expect([model.phase, model.action?.row.phase]).toEqual(['running', 'running']);
  server.socket.connect();
  expect(server.socket.told[0].topics).toEqual(['actions:r1']);
  const ended = anAction({ name: 'a0', phase: 'failed', took: [0, 1, 2] });
  const child = anAction({ name: 'a1', parent: 'a0' });
  set(server, [ended, child], 'failed');
  server.socket.say({ topic: 'actions', run: 'r1', actions: [ended, child], is_all: false });
  await settled();
  expect(model.rows.rows().map(row => row.key)).toEqual(['a0', 'a1']);
  expect([model.phase, model.detail?.summary.phase]).toEqual(['failed', 'failed']);
  expect(model.action?.row.phase).toBe('failed');
  model.dispose();
});

it('does not listen to a run that is over', async () => {
  const server = new FakeServer();
  set(server, [anAction()], 'succeeded');
  const model = new ViewerModel(server.client, server.stream, 'r1');
  await model.load();
  await settled();
  expect(server.sockets).toHaveLength(0);
});

it('shows the last attempt of what is selected, unless another one was chosen', async () => {
  const server = new FakeServer();
  const rows = [anAction(), anAction({ name: 'a1', parent: 'a0', attempt: 2 })];
  set(server, rows, 'succeeded');
  const model = new ViewerModel(server.client, server.stream, 'r1');
  await model.load();
  await settled();
  model.rows.select('a1');
  await settled();
  expect([model.attempt, model.log.action, model.log.attempt]).toEqual([2, 'a1', 2]);
  model.attempt = 0;
  expect(model.log.attempt).toBe(0);
  model.rows.select('a0');
  expect([model.attempt, model.log.action]).toEqual([0, 'a0']);
});

it('says why a run is not known', async () => {
  const server = new FakeServer();
  const model = new ViewerModel(server.client, server.stream, 'r1');
  await model.load();
  expect(model.problem).toContain('There is no runs/r1');
});

it('asks from time to time where there is no stream', async () => {
  const server = new FakeServer();
  set(server, [anAction({ took: [0, 1] })], 'running');
  const model = new ViewerModel(server.client, server.stream, 'r1');
  await model.load();
  await settled();
  set(server, [anAction({ took: [0, 1, 2] })], 'succeeded');
  await vi.advanceTimersByTimeAsync(5000);
  expect(model.phase).toBe('succeeded');
  model.dispose();
});
