import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { aRun, FakeServer } from '../../test/fake';
import type { IRunSummary } from '../api/generated';
import { Announcer, type IAnnouncement } from './announcer';
import { RunsModel } from './runs';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_795_000_010_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

it('reads out what runs have come to, together and not too often', () => {
  const server = new FakeServer();
  server.set('runs', { runs: [], offset: 0, total: 0 });
  const said: (readonly IAnnouncement[])[] = [];
  new Announcer(new RunsModel(server.client, server.stream)).said.connect((_, all) => {
    said.push(all);
  });
  server.socket.connect();
  const tell = (...changed: IRunSummary[]) =>
    server.socket.say({ topic: 'runs', changed, gone: [] });
  const old = aRun({ name: 'r0', phase: 'failed', created: 1_700_000_000 });
  tell(old, aRun({ name: 'r1', title: 'clean' }), aRun({ name: 'r2', phase: 'queued' }));
  vi.advanceTimersByTime(10);
  expect(said).toEqual([[{ phase: 'running', of: 'clean' }]]);
  tell(aRun({ name: 'r1', phase: 'succeeded' }), aRun({ name: 'r2', phase: 'running' }));
  tell(aRun({ name: 'r2', phase: 'succeeded' }));
  vi.advanceTimersByTime(1000);
  expect(said).toHaveLength(1);
  vi.advanceTimersByTime(2000);
  expect(said[1]).toEqual([{ phase: 'succeeded', of: 2 }]);
  tell(aRun({ name: 'r2', phase: 'succeeded', reason: 'nothing new' }));
  vi.advanceTimersByTime(9000);
  expect(said).toHaveLength(2);
});
