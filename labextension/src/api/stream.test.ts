import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { aRun, FakeServer } from '../../test/fake';
import type { News } from './generated';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('opens a socket when something is watched, and asks for all topics again when it breaks', () => {
  const server = new FakeServer();
  expect(server.sockets).toHaveLength(0);
  let line = 0;
  server.stream.watch('runs', () => undefined);
  server.stream.watch(
    'log:r1/a0/0',
    () => undefined,
    () => line
  );
  server.socket.connect();
  expect(server.socket.told).toEqual([
    { topics: ['runs', 'log:r1/a0/0'], start: { 'log:r1/a0/0': 0 } }
  ]);
  line = 7;
  server.socket.close();
  expect(server.stream.isConnected).toBe(false);
  vi.advanceTimersByTime(1000);
  expect(server.sockets).toHaveLength(2);
  server.socket.connect();
  expect(server.socket.told).toEqual([
    { topics: ['runs', 'log:r1/a0/0'], start: { 'log:r1/a0/0': 7 } }
  ]);
});

it('tells those who watch a topic, and the server when nobody does any more', () => {
  const server = new FakeServer();
  const heard: News[] = [];
  const one = server.stream.watch('runs', news => heard.push(news));
  const other = server.stream.watch('runs', news => heard.push(news));
  server.socket.connect();
  server.socket.say({ topic: 'runs', changed: [aRun()], gone: [] });
  expect(heard).toHaveLength(2);
  one.dispose();
  other.dispose();
  expect(server.socket.told[server.socket.told.length - 1]).toEqual({ topics: [], start: {} });
  server.socket.say({ topic: 'runs', changed: [], gone: [] });
  expect(heard).toHaveLength(2);
});

it('asks ever less where nobody has answered, and soon again where somebody had', () => {
  const server = new FakeServer();
  server.stream.watch('runs', () => undefined);
  let refused = 0;
  const tried = (seconds: number) => {
    const before = server.sockets.length;
    for (let second = 0; second < seconds; second++) {
      vi.advanceTimersByTime(1000);
      while (refused < server.sockets.length) {
        server.sockets[refused++].close();
      }
    }
    return server.sockets.length - before;
  };
  tried(600);
  expect(tried(600)).toBeLessThan(6);
  server.socket.connect();
  server.socket.close();
  expect(tried(60)).toBeGreaterThan(3);
});
