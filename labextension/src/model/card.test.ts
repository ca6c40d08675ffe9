import { expect, test } from 'vitest';

import { FakeServer } from '../../test/fake';
import type { PhaseName } from '../api/generated';
import { CardModel } from './card';

const RUN = 'r0000000000000a';

function output(phase: PhaseName, html: string, given: { run?: string; isTrusted?: boolean } = {}) {
  return { run: RUN, phase, html, isTrusted: true, ...given };
}

function opened() {
  const server = new FakeServer();
  const model = new CardModel(server.stream);
  const tell = (phase: PhaseName, html: string, run = RUN) =>
    server.socket.say({
      topic: 'card',
      card: { run, phase, html, commands: [{ name: 'rerun', label: 'Again', code: 'x' }] }
    });
  return { server, model, tell };
}

function seen(phase: PhaseName, html: string, given: { isTrusted?: boolean } = {}) {
  const made = opened();
  made.model.take(output(phase, html, given));
  made.model.isSeen = true;
  made.server.socket.connect();
  return made;
}

test('an output is drawn at once, and the server is asked when it is seen', () => {
  const { server, model, tell } = opened();
  model.take(output('running', 'saved'));
  expect(model.drawn).toEqual({ html: 'saved', isServers: false, phase: 'running' });
  expect(server.sockets).toEqual([]);
  model.isSeen = true;
  server.socket.connect();
  expect(server.socket.told[0].topics).toEqual([`card:${RUN}`]);
  tell('running', 'now');
  expect(model.drawn).toEqual({ html: 'now', isServers: true, phase: 'running' });
  model.isSeen = false;
  expect(server.socket.told[1].topics).toEqual([]);
});

test('what a kernel sends meanwhile is not drawn a second time, but its end is', () => {
  const { model, tell } = seen('running', 'saved');
  tell('running', 'now');
  let times = 0;
  model.changed.connect(() => times++);
  model.take(output('running', 'kernel'));
  expect([model.drawn.html, times]).toEqual(['now', 0]);
  model.take(output('succeeded', 'end'));
  expect(model.drawn.html).toBe('end');
  tell('running', 'late');
  tell('succeeded', 'the same end');
  expect(model.drawn.html).toBe('end');
});

test('without the server a kernel is enough, and so it is when the connection is lost', () => {
  const { server, model, tell } = seen('running', 'saved');
  model.take(output('running', 'kernel 1'));
  expect(model.drawn.html).toBe('kernel 1');
  tell('running', 'now');
  server.socket.close();
  model.take(output('running', 'kernel 2'));
  expect(model.drawn.html).toBe('kernel 2');
  model.dispose();
  server.stream.dispose();
});

test('the end that the server has told is not undone by an older output', () => {
  const { model, tell } = seen('running', 'saved');
  tell('succeeded', 'end');
  model.take(output('running', 'old'));
  tell('running', 'overtaken');
  expect(model.drawn.html).toBe('end');
});

test('of a notebook that is not trusted, what the server has made is drawn also at the end', () => {
  const { model, tell } = seen('succeeded', 'saved', { isTrusted: false });
  tell('succeeded', 'made by the server');
  expect(model.drawn.html).toBe('made by the server');
});

test('what can be done is what the server says, when both are as far', () => {
  const { model, tell } = seen('running', 'saved');
  expect(model.commands).toEqual([]);
  tell('running', 'now');
  expect(model.commands.map(each => each.name)).toEqual(['rerun']);
  model.take(output('succeeded', 'end'));
  expect(model.commands).toEqual([]);
  tell('succeeded', 'end');
  expect(model.commands.map(each => each.name)).toEqual(['rerun']);
});

test('a run that the server does not know stays as it was saved', () => {
  const { server, model } = seen('running', 'saved');
  server.socket.say({ topic: 'refused', of: `card:${RUN}`, message: 'There is no such run.' });
  expect([model.drawn.html, model.problem]).toEqual(['saved', 'There is no such run.']);
});

test('the name in an output is nothing but a name', () => {
  const { server, model } = opened();
  for (const run of [
    '../../files/evil',
    'r-1',
    '',
    'r0000000000000a/../x',
    'card:r0000000000000a'
  ]) {
    model.take(output('running', 'saved', { run }));
    model.isSeen = true;
    expect(model.problem).not.toBe('');
  }
  expect(server.sockets).toEqual([]);
});

test('news of another run are not drawn when an output has changed', () => {
  const { model, tell } = seen('running', 'saved');
  model.take(output('running', 'another', { run: 'r0000000000000b' }));
  tell('running', 'of the first');
  expect(model.drawn.html).toBe('another');
});
