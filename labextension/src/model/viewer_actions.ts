import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Client } from '../api/client';
import type { IActionRow, News } from '../api/generated';
import type { Stream } from '../api/stream';
import { isOver } from './runs';
import { Soon } from './soon';

/** Milliseconds in which what is told is told together: what people see as at once. */
const WITHIN = 100;
/** Milliseconds between two looks where no stream comes through, as behind some proxies. */
const LOOK = 3000;

/** The actions of a run, live until the last one has ended. */
export class ActionsModel implements IDisposable {
  constructor(
    private readonly client: Client,
    private readonly stream: Stream,
    readonly run: string
  ) {}

  /** Told at most ten times a second, with the names of what is new or has changed. */
  get changed(): ISignal<ActionsModel, ReadonlySet<string>> {
    return this.hasChanged;
  }

  /** Why they are not known, when the server could not be asked; '' otherwise. */
  get problem(): string {
    return this.failed;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /** Whether it is known what there is. */
  get isLoaded(): boolean {
    return this.loaded;
  }

  /** All of them; another array whenever one has changed. */
  all(): readonly IActionRow[] {
    this.listed ??= [...this.actions.values()];
    return this.listed;
  }

  get(action: string): IActionRow | undefined {
    return this.actions.get(action);
  }

  get isOver(): boolean {
    return this.loaded && this.all().every(action => isOver(action.phase));
  }

  /** Ask the server, and from then on listen as long as there is something to be told. */
  async load(): Promise<void> {
    try {
      this.put(await this.client.actions(this.run), true);
      this.failed = '';
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error);
    }
    this.loaded = true;
    this.soon.ask();
    if (!this.isOver && !this.disposed) {
      this.watch ??= this.stream.watch(`actions:${this.run}`, news => this.take(news));
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), LOOK);
    }
  }

  dispose(): void {
    this.disposed = true;
    this.soon.cancel();
    clearTimeout(this.timer);
    this.watch?.dispose();
    Signal.clearData(this);
  }

  private look(): void {
    if (!this.stream.isConnected) {
      void this.load();
    } else {
      this.timer = setTimeout(() => this.look(), LOOK);
    }
  }

  private take(news: News): void {
    if (news.topic === 'actions') {
      this.failed = '';
      this.put(news.actions, news.is_all);
    } else if (news.topic === 'refused' && this.actions.size === 0) {
      this.failed = news.message;
      this.soon.ask();
    }
  }

  private put(actions: readonly IActionRow[], isAll: boolean): void {
    if (isAll) {
      this.actions.clear();
    }
    for (const action of actions) {
      this.actions.set(action.name, action);
      this.told.add(action.name);
    }
    this.listed = undefined;
    this.soon.ask();
  }

  private tell(): void {
    const told = this.told;
    this.told = new Set();
    this.hasChanged.emit(told);
  }

  private readonly actions = new Map<string, IActionRow>();
  private readonly hasChanged = new Signal<ActionsModel, ReadonlySet<string>>(this);
  private readonly soon = new Soon(() => this.tell(), WITHIN);
  private told = new Set<string>();
  private listed: readonly IActionRow[] | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: IDisposable | undefined;
  private failed = '';
  private loaded = false;
  private disposed = false;
}
