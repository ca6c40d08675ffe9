import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';

/** Milliseconds between two questions when the server does not answer, at most. */
const LONGEST = 60_000;

/** An answer of the server that is asked for again and again, while somebody looks. */
export class Polled<T> implements IDisposable {
  /**
   * @param name - of the poll.
   * @param request - asks the server.
   * @param seconds - from one answer to the next question.
   */
  constructor(
    name: string,
    private readonly request: () => Promise<T>,
    seconds: number
  ) {
    this.poll = new Poll({
      name: `flyte-jupyter:${name}`,
      auto: false,
      standby: 'when-hidden',
      frequency: { interval: 1000 * seconds, backoff: true, max: LONGEST },
      factory: () => this.ask()
    });
  }

  get changed(): ISignal<Polled<T>, void> {
    return this.hasChanged;
  }

  /** The last answer; undefined before the first one. */
  get answer(): T | undefined {
    return this.last;
  }

  /** Why there is no new answer, '' when there is one. */
  get problem(): string {
    return this.failed;
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  /** Begin to ask, or stop. */
  set isSeen(isSeen: boolean) {
    void (isSeen ? this.poll.start() : this.poll.stop());
  }

  /** Seconds from one answer to the next question. */
  set pace(seconds: number) {
    this.poll.frequency = { ...this.poll.frequency, interval: 1000 * seconds };
  }

  /** Ask now; the answer comes later. */
  refresh(): Promise<void> {
    return this.poll.refresh();
  }

  dispose(): void {
    this.poll.dispose();
    Signal.clearData(this);
  }

  private async ask(): Promise<void> {
    try {
      const answer = await this.request();
      const isNew = this.failed !== '' || JSON.stringify(answer) !== JSON.stringify(this.last);
      this.failed = '';
      this.last = answer;
      if (isNew) {
        this.hasChanged.emit();
      }
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error);
      this.hasChanged.emit();
      throw error; // so that the poll asks more seldom
    }
  }

  private readonly poll: Poll<void, unknown>;
  private readonly hasChanged = new Signal<Polled<T>, void>(this);
  private last: T | undefined;
  private failed = '';
}
