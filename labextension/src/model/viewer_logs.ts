import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Client } from '../api/client';
import type { ILogPage, News } from '../api/generated';
import type { Stream } from '../api/stream';
import { Soon } from './soon';

/** Lines in a chunk, which is what is asked for at a time. */
export const CHUNK = 5000;

/** [seconds since the epoch, stream, text] */
export type LogLine = ILogPage['lines'][number];

/** What an attempt has printed: only what is looked at is loaded, and what is new comes by itself. */
export class LogModel implements IDisposable {
  constructor(
    private readonly client: Client,
    private readonly stream: Stream,
    readonly run: string,
    readonly action: string,
    readonly attempt: number
  ) {}

  /** Told at most every 50 ms: there are more lines, or some that were missing. */
  get changed(): ISignal<LogModel, void> {
    return this.hasChanged;
  }

  get problem(): string {
    return this.failed;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  get isLoaded(): boolean {
    return this.loaded;
  }

  /** How many lines there are, also those that are not here. */
  get total(): number {
    return this.count;
  }

  /** Whether no more will come. */
  get isComplete(): boolean {
    return this.complete;
  }

  /** A line, or undefined while it is not here. */
  line(index: number): LogLine | undefined {
    return this.chunks[Math.floor(index / CHUNK)]?.[index % CHUNK];
  }

  /** The escape sequences that are in effect at the first line of a chunk; undefined while only what is before says it. */
  style(chunk: number): string | undefined {
    return chunk === 0 ? '' : this.styles[chunk];
  }

  /** Ask for the first lines, and listen if there will be more. */
  async load(): Promise<void> {
    await this.ask(0);
    this.loaded = true;
    this.soon.ask();
    if (!this.complete && !this.disposed) {
      const topic = `log:${this.run}/${this.action}/${this.attempt}`;
      this.watch ??= this.stream.watch(
        topic,
        news => this.take(news),
        () => this.count
      );
    }
  }

  /** Ask whether there are more, where no stream comes through. */
  more(): void {
    if (!this.complete && this.loaded && !this.stream.isConnected) {
      void this.ask(Math.floor(this.count / CHUNK));
    }
  }

  /** See to it that these lines come, the last one left out. */
  need(first: number, last: number): void {
    const end = Math.min(last, this.count);
    for (let chunk = Math.floor(first / CHUNK); chunk * CHUNK < end; chunk++) {
      if (!this.isHere(chunk)) {
        void this.ask(chunk);
      }
    }
  }

  /** Load all that is missing. */
  async all(): Promise<void> {
    for (let chunk = 0; chunk * CHUNK < this.count && !this.disposed; chunk++) {
      if (!this.isHere(chunk)) {
        await this.ask(chunk);
      }
    }
  }

  dispose(): void {
    this.disposed = true;
    this.soon.cancel();
    this.watch?.dispose();
    Signal.clearData(this);
  }

  private isHere(chunk: number): boolean {
    const size = Math.min(CHUNK, this.count - chunk * CHUNK);
    const found = this.chunks[chunk];
    return found !== undefined && found.length >= size && found[0] !== undefined;
  }

  private ask(chunk: number): Promise<void> {
    let asked = this.asked.get(chunk);
    if (!asked) {
      asked = this.fetch(chunk).finally(() => this.asked.delete(chunk));
      this.asked.set(chunk, asked);
    }
    return asked;
  }

  private async fetch(chunk: number): Promise<void> {
    const query = { attempt: this.attempt, start: chunk * CHUNK, limit: CHUNK };
    try {
      this.put(await this.client.logs(this.run, this.action, query));
      this.failed = '';
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error);
      this.soon.ask();
    }
  }

  private take(news: News): void {
    if (news.topic === 'log') {
      this.put(news.page);
      if (this.complete) {
        this.watch?.dispose();
      }
    }
  }

  private put(page: ILogPage): void {
    if (page.start % CHUNK === 0 && page.lines.length > 0) {
      this.styles[page.start / CHUNK] = page.style;
    }
    page.lines.forEach((line, i) => {
      const index = page.start + i;
      (this.chunks[Math.floor(index / CHUNK)] ??= [])[index % CHUNK] = line;
    });
    this.count = Math.max(this.count, page.total, page.start + page.lines.length);
    this.complete ||= page.is_complete;
    this.soon.ask();
  }

  private readonly chunks: LogLine[][] = [];
  private readonly styles: string[] = [];
  private readonly asked = new Map<number, Promise<void>>();
  private readonly hasChanged = new Signal<LogModel, void>(this);
  private readonly soon = new Soon(() => this.hasChanged.emit());
  private watch: IDisposable | undefined;
  private count = 0;
  private complete = false;
  private loaded = false;
  private failed = '';
  private disposed = false;
}
