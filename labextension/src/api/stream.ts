import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IWatch, News } from './generated';

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 15_000;
const LONGEST_PAUSE_AT_FIRST = 240_000; // where nobody has answered yet: the extension may be missing

/** The part of a WebSocket that is needed here. */
export interface ISocket {
  onopen: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  send(data: string): void;
  close(): void;
}

interface ITopic {
  takers: Set<(news: News) => void>;
  start: () => number | undefined;
}

/**
 * One socket for all that is watched. It is open while something is watched, and opened again when it breaks.
 */
export class Stream implements IDisposable {
  /** @param open - opens a socket; rejects where there is no server extension. */
  constructor(private readonly open: () => ISocket) {}

  /** Whether there is a connection; changes are told by `connectedChanged`. */
  get isConnected(): boolean {
    return this.connected;
  }

  get connectedChanged(): ISignal<Stream, boolean> {
    return this.changed;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /**
   * Be told the news of a topic, such as "runs" or "card:RUN", until what this returns is disposed of.
   *
   * @param start - for logs: the first line that is wanted, asked again after each reconnection.
   */
  watch(
    topic: string,
    take: (news: News) => void,
    start: () => number | undefined = () => undefined
  ): IDisposable {
    const known = this.topics.get(topic);
    if (known) {
      known.takers.add(take);
    } else {
      this.topics.set(topic, { takers: new Set([take]), start });
    }
    this.tell();
    return new DisposableDelegate(() => {
      const topics = this.topics.get(topic);
      topics?.takers.delete(take);
      if (topics && topics.takers.size === 0) {
        this.topics.delete(topic);
        this.tell();
      }
    });
  }

  dispose(): void {
    this.disposed = true;
    this.topics.clear();
    clearTimeout(this.timer);
    this.socket?.close();
    Signal.clearData(this);
  }

  private tell(): void {
    if (this.connected) {
      this.socket?.send(JSON.stringify(this.wanted()));
    } else if (this.topics.size && !this.socket && !this.disposed) {
      this.connect();
    }
  }

  private wanted(): IWatch {
    const start: Record<string, number> = {};
    for (const [topic, { start: of }] of this.topics) {
      const line = of();
      if (line !== undefined) {
        start[topic] = line;
      }
    }
    return { topics: [...this.topics.keys()], start };
  }

  private connect(): void {
    clearTimeout(this.timer);
    const socket = this.open();
    this.socket = socket;
    socket.onopen = () => {
      this.pause = FIRST_PAUSE;
      this.longest = LONGEST_PAUSE;
      this.set(true);
      this.tell();
    };
    socket.onmessage = event => this.take(JSON.parse(String(event.data)) as News);
    socket.onclose = () => {
      this.socket = null;
      this.set(false);
      if (this.topics.size && !this.disposed) {
        const jitter = 0.5 + Math.random() / 2;
        this.timer = setTimeout(() => this.connect(), this.pause * jitter);
        this.pause = Math.min(2 * this.pause, this.longest);
      }
    };
  }

  private set(connected: boolean): void {
    if (this.connected !== connected) {
      this.connected = connected;
      this.changed.emit(connected);
    }
  }

  private take(news: News): void {
    for (const take of [...(this.topics.get(topicOf(news))?.takers ?? [])]) {
      take(news);
    }
  }

  private readonly topics = new Map<string, ITopic>();
  private readonly changed = new Signal<Stream, boolean>(this);
  private socket: ISocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = FIRST_PAUSE;
  private longest = LONGEST_PAUSE_AT_FIRST;
  private connected = false;
  private disposed = false;
}

/** The topic that news are of, as it was asked for. */
export function topicOf(news: News): string {
  switch (news.topic) {
    case 'runs':
      return 'runs';
    case 'card':
      return `card:${news.card.run}`;
    case 'actions':
      return `actions:${news.run}`;
    case 'log':
      return `log:${news.run}/${news.action}/${news.page.attempt}`;
    case 'refused':
      return news.of;
  }
}
