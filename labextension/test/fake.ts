import { Client } from '../src/api/client';
import type { IActionRow, IRunSummary, IWatch, News } from '../src/api/generated';
import { Stream, type ISocket } from '../src/api/stream';

/** A server that speaks the shapes of the real one: answers by path, and sockets that a test drives. */
export class FakeServer {
  readonly asked: string[] = [];
  readonly sent: { path: string; body: unknown }[] = [];
  readonly sockets: FakeSocket[] = [];
  readonly answers = new Map<string, unknown>();

  readonly client = new Client(
    (path, init) => this.answer(path, init),
    path => `/flyte-jupyter/${path}`
  );
  readonly stream = new Stream(() => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  });

  /** The socket that is open now. */
  get socket(): FakeSocket {
    return this.sockets[this.sockets.length - 1];
  }

  /** @param path - without its query; an answer may be a function of that. */
  set(path: string, answer: unknown): void {
    this.answers.set(path, answer);
  }

  private async answer(path: string, init: RequestInit): Promise<Response> {
    this.asked.push(path);
    if (init.method === 'POST') {
      this.sent.push({ path, body: JSON.parse(String(init.body)) });
    }
    const found = this.answers.get(path.split('?')[0]);
    if (found === undefined) {
      const body = { topic: 'refused', of: '', message: `There is no ${path}.` };
      return new Response(JSON.stringify(body), { status: 404 });
    }
    const query = new URLSearchParams(path.split('?')[1]);
    const said: unknown = typeof found === 'function' ? found(query) : found;
    return new Response(JSON.stringify(said));
  }
}

export class FakeSocket implements ISocket {
  onopen: ISocket['onopen'] = null;
  onclose: ISocket['onclose'] = null;
  onmessage: ISocket['onmessage'] = null;
  readonly told: IWatch[] = [];

  send(data: string): void {
    this.told.push(JSON.parse(data) as IWatch);
  }

  close(): void {
    this.onclose?.({} as CloseEvent);
  }

  connect(): void {
    this.onopen?.({} as Event);
  }

  say(news: News): void {
    this.onmessage?.({ data: JSON.stringify(news) } as MessageEvent);
  }
}

/** A run, of which a test says what it is about. */
export function aRun(given: Partial<IRunSummary> = {}): IRunSummary {
  return {
    name: 'r0000000000000a',
    task: 'prep.clean',
    title: 'clean',
    environment: 'prep',
    phase: 'running',
    warning: '',
    reason: '',
    created: 1_795_000_000,
    began: 1_795_000_001,
    ended: null,
    attempt: 0,
    is_cached: false,
    actions: {},
    mode: 'local',
    site: 'this machine',
    notebook: 'work.ipynb',
    cell: 'c1',
    kernel: 'k1',
    trigger: null,
    can_rerun: true,
    ...given
  };
}

/** An action, of which a test says what it is about; `took` is when it was queued, ran and ended. */
export function anAction(
  given: Partial<IActionRow> & { took?: [number, number?, number?] } = {}
): IActionRow {
  const { took = [0, 1, 2], ...rest } = given;
  const phase =
    rest.phase ??
    (took[2] !== undefined ? 'succeeded' : took[1] !== undefined ? 'running' : 'queued');
  const phases = ['queued', 'running', phase] as const;
  return {
    name: 'a0',
    parent: null,
    task: 'prep.clean',
    title: 'clean',
    attempt: 0,
    is_cached: false,
    reason: '',
    history: took.flatMap((at, i) =>
      at === undefined ? [] : [{ phase: phases[i], at, attempt: 0, step: '' }]
    ),
    ...rest,
    phase
  };
}
