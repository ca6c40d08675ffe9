import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { FakeServer } from '../../test/fake';
import type { ILogPage } from '../api/generated';
import { CHUNK, LogModel, type LogLine } from './viewer_logs';
import { LogSearch } from './viewer_search';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const line = (index: number): LogLine => [index, 'stdout', `line ${index}`];

/** Pages of a log of so many lines, as the server gives them. */
function serve(server: FakeServer, total: number, isComplete = true): void {
  server.set('runs/r1/actions/a0/logs', (query: URLSearchParams): ILogPage => {
    const start = Number(query.get('start'));
    const count = Math.max(0, Math.min(total - start, Number(query.get('limit'))));
    const lines = Array.from({ length: count }, (_, i) => line(start + i));
    return { attempt: 0, start, lines, total, style: '', is_complete: isComplete };
  });
}

const settled = () => vi.advanceTimersByTimeAsync(100);

it('loads what is looked at of a hundred thousand lines, and nothing else', async () => {
  const server = new FakeServer();
  serve(server, 100_000);
  const log = new LogModel(server.client, server.stream, 'r1', 'a0', 0);
  await log.load();
  expect([log.total, log.isComplete]).toEqual([100_000, true]);
  log.need(99_950, 100_000);
  log.need(99_951, 100_000);
  await settled();
  expect(server.asked).toHaveLength(2);
  expect(log.line(99_999)).toEqual(line(99_999));
  expect(log.line(50_000)).toBe(undefined);
  expect(server.sockets).toHaveLength(0);
});

it('follows the stream where the page has ended, and asks again from there', async () => {
  const server = new FakeServer();
  serve(server, 2, false);
  const log = new LogModel(server.client, server.stream, 'r1', 'a0', 0);
  await log.load();
  server.socket.connect();
  expect(server.socket.told[0]).toEqual({ topics: ['log:r1/a0/0'], start: { 'log:r1/a0/0': 2 } });
  let told = 0;
  log.changed.connect(() => told++);
  const say = (start: number, isComplete: boolean) => {
    const page = {
      attempt: 0,
      start,
      lines: [line(start)],
      total: start + 1,
      style: '',
      is_complete: isComplete
    };
    server.socket.say({ topic: 'log', run: 'r1', action: 'a0', page });
  };
  say(2, false);
  say(3, true);
  await settled();
  expect(told).toBe(1);
  expect([0, 1, 2, 3].map(index => log.line(index)?.[2])).toEqual([
    'line 0',
    'line 1',
    'line 2',
    'line 3'
  ]);
  expect(server.socket.told[1]).toEqual({ topics: [], start: {} });
});

it('says why there is none', async () => {
  const server = new FakeServer();
  const log = new LogModel(server.client, server.stream, 'r1', 'a0', 0);
  await log.load();
  expect(log.problem).toContain('There is no runs/r1/actions/a0/logs');
});

it('finds lines in all chunks, goes round, and on as more come', async () => {
  const server = new FakeServer();
  const total = 2 * CHUNK + 1;
  serve(server, total, false);
  const log = new LogModel(server.client, server.stream, 'r1', 'a0', 0);
  await log.load();
  const search = new LogSearch(log, text => text);
  search.search('LINE 10000');
  await settled();
  expect(search.found).toEqual([10_000]);
  search.search('7777');
  await settled();
  expect([search.found, search.line, search.isBusy]).toEqual([[7777], 7777, false]);
  server.socket.connect();
  const added: LogLine = [0, 'stdout', 'also 7777'];
  const page = {
    attempt: 0,
    start: total,
    lines: [added],
    total: total + 1,
    style: '',
    is_complete: false
  };
  server.socket.say({ topic: 'log', run: 'r1', action: 'a0', page });
  await settled();
  expect(search.found).toEqual([7777, total]);
  search.step(1);
  expect(search.line).toBe(total);
  search.step(1);
  expect(search.line).toBe(7777);
  search.search('');
  expect(search.line).toBe(-1);
});
