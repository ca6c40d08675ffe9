import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { aRun, FakeServer } from '../../test/fake';
import type { IRunSummary } from '../api/generated';
import { EVERY_RUN, matches } from './filter';
import { PAGE } from './pages';
import { keyOf, RunList } from './runlist';
import { RunsModel } from './runs';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A server that has these runs, the newest first, and lists them as the real one does. */
function served(runs: IRunSummary[]): { server: FakeServer; list: RunList; runs: IRunSummary[] } {
  const server = new FakeServer();
  const wanted = (query: URLSearchParams) => {
    const phases = (query.get('phase')?.split(',') ?? []) as IRunSummary['phase'][];
    const filter = { text: query.get('text') ?? '', phases, task: query.get('task') ?? '' };
    return runs.filter(run => matches(run, filter));
  };
  server.set('runs', (query: URLSearchParams) => {
    const notebook = query.get('notebook');
    const found = wanted(query).filter(
      run => notebook === null || (run.notebook ?? '') === notebook
    );
    const offset = Number(query.get('offset') ?? 0);
    const page = found.slice(offset, offset + Number(query.get('limit') ?? 100));
    return { runs: page, offset, total: found.length };
  });
  server.set('notebooks', (query: URLSearchParams) => {
    const found = wanted(query);
    return [...new Set(found.map(run => run.notebook))].map(notebook => {
      const of = found.filter(run => run.notebook === notebook);
      return { notebook, runs: of.length, last: of[0].name };
    });
  });
  const list = new RunList(
    server.client,
    new RunsModel(server.client, server.stream),
    server.stream
  );
  server.socket.connect();
  return { server, list, runs };
}

/** What its rows say, from the first to the last that is asked for. */
function rows(list: RunList, first = 0, last = list.length - 1): string[] {
  const said = [];
  for (let index = first; index <= last; index++) {
    const row = list.row(index);
    said.push(row?.kind === 'notebook' ? keyOf(row.group) : (row?.run?.name ?? '…'));
  }
  return said;
}

const named = (number: number) => `r${String(number).padStart(6, '0')}`;

async function shown(list: RunList, first: number, last: number): Promise<void> {
  list.show(first, last);
  await vi.advanceTimersByTimeAsync(0);
}

it('groups runs by notebook, the last used first', async () => {
  const { list } = served([
    aRun({ name: 'r4', notebook: 'b.ipynb' }),
    aRun({ name: 'r3', notebook: 'a.ipynb' }),
    aRun({ name: 'r2', notebook: null }),
    aRun({ name: 'r1', notebook: 'b.ipynb' })
  ]);
  expect(list.isReady).toBe(false);
  list.show(0, 10);
  await list.refresh();
  const b = 'notebook:b.ipynb';
  expect(rows(list)).toEqual([b, 'r4', 'r1', 'notebook:a.ipynb', 'r3', 'notebook:', 'r2']);
  expect([list.indexOf('r3'), list.indexOf('notebook:'), list.indexOf('r9')]).toEqual([4, 5, -1]);
  const row = list.row(0)!;
  list.toggle(row.group);
  expect(rows(list)).toEqual([b, 'notebook:a.ipynb', 'r3', 'notebook:', 'r2']);
  expect(list.total).toBe(4);
});

it('asks only for what is looked at', async () => {
  const many = Array.from({ length: 10_000 }, (_, index) => aRun({ name: named(99_999 - index) }));
  const { list, server } = served(many);
  list.show(0, 30);
  await list.refresh();
  expect(rows(list, 0, 2)).toEqual(['notebook:work.ipynb', named(99_999), named(99_998)]);
  await shown(list, 5001, 5031);
  expect(rows(list, 5001, 5002)).toEqual([named(94_999), named(94_998)]);
  expect(rows(list, 3000, 3000)).toEqual(['…']);
  const offsets = server.asked.flatMap(path => /offset=(\d+)/.exec(path)?.[1] ?? []);
  expect(offsets).toEqual(['0', '5000']);
  await shown(list, 5001, 5031);
  expect(server.asked.filter(path => path.includes('offset'))).toHaveLength(2);
  expect(PAGE).toBe(100);
});

it('takes in what happens at once, without asking', async () => {
  const { list, server, runs } = served([
    aRun({ name: 'r2', notebook: 'a.ipynb' }),
    aRun({ name: 'r1', notebook: 'b.ipynb' })
  ]);
  list.show(0, 10);
  await list.refresh();
  await vi.advanceTimersByTimeAsync(1000);
  const asked = server.asked.length;
  const [r3, r4] = [
    aRun({ name: 'r3', notebook: 'b.ipynb' }),
    aRun({ name: 'r4', notebook: null })
  ];
  runs.unshift(r3);
  server.socket.say({ topic: 'runs', changed: [r3], gone: [] });
  expect(rows(list)).toEqual(['notebook:b.ipynb', 'r3', 'r1', 'notebook:a.ipynb', 'r2']);
  server.socket.say({ topic: 'runs', changed: [r4], gone: ['r2'] });
  expect(rows(list)).toEqual(['notebook:', 'r4', 'notebook:b.ipynb', 'r3', 'r1']);
  const done = aRun({ name: 'r3', notebook: 'b.ipynb', phase: 'succeeded' });
  server.socket.say({ topic: 'runs', changed: [done], gone: [] });
  const row = list.row(3);
  expect(row?.kind === 'run' && row.run?.phase).toBe('succeeded');
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.asked).toHaveLength(asked);
});

it('shows what matches, also when that changes', async () => {
  const { list, server } = served([
    aRun({ name: 'r2', phase: 'running' }),
    aRun({ name: 'r1', phase: 'failed' })
  ]);
  list.show(0, 10);
  list.filter = { ...EVERY_RUN, phases: ['running'] };
  await vi.advanceTimersByTimeAsync(0);
  expect(rows(list)).toEqual(['notebook:work.ipynb', 'r2']);
  server.socket.say({
    topic: 'runs',
    changed: [aRun({ name: 'r2', phase: 'succeeded' })],
    gone: []
  });
  expect(rows(list)).toEqual([]);
  server.socket.say({ topic: 'runs', changed: [aRun({ name: 'r3' })], gone: [] });
  expect(rows(list)).toEqual(['notebook:work.ipynb', 'r3']);
});

it('asks again for what the news leave open, once for many', async () => {
  const many = Array.from({ length: 400 }, (_, index) => aRun({ name: named(1000 - index) }));
  const { list, server, runs } = served(many);
  list.show(0, 10);
  await list.refresh();
  await vi.advanceTimersByTimeAsync(1000);
  const asked = () => server.asked.filter(path => path.startsWith('notebooks')).length;
  const before = asked();
  const old = [aRun({ name: named(300) }), aRun({ name: named(301) })];
  runs.push(...old);
  server.socket.say({ topic: 'runs', changed: [old[0]], gone: [] });
  server.socket.say({ topic: 'runs', changed: [old[1]], gone: [] });
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked()).toBe(before + 1);
  expect(list.total).toBe(402);
});

it('says why there are none, and with which status', async () => {
  const server = new FakeServer();
  const list = new RunList(
    server.client,
    new RunsModel(server.client, server.stream),
    server.stream
  );
  await list.refresh();
  expect(list.problem).toEqual({ status: 404, message: 'There is no notebooks.' });
});

it('moves the runs of a notebook that was renamed', async () => {
  const before = [
    aRun({ name: 'r2', notebook: 'a.ipynb' }),
    aRun({ name: 'r1', notebook: 'a.ipynb' })
  ];
  const { server, list, runs } = served([...before]);
  list.show(0, 10);
  await list.refresh();
  const after = before.map(run => ({ ...run, notebook: 'b.ipynb' }));
  runs.splice(0, 2, ...after);
  server.socket.say({ topic: 'runs', changed: after, gone: [] });
  expect(rows(list)).not.toContain('notebook:a.ipynb');
  await vi.runAllTimersAsync();
  expect(rows(list)).toEqual(['notebook:b.ipynb', 'r2', 'r1']);
});
