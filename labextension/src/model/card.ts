import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import { RUN_NAME, type ICard, type ICommand, type PhaseName } from '../api/generated';
import type { Stream } from '../api/stream';
import { isOver } from './runs';

/** What an output of a notebook has of a card. */
export interface IOutput {
  run: string;
  phase: PhaseName;
  html: string;
  isTrusted: boolean;
}

/**
 * The card of one output: what the notebook has of it, and what the server knows of its run.
 *
 * The server is asked while the card is seen. One source is drawn at a time: the server where it knows the run, the
 * output where it does not, or where what it has is the end: nobody can know more than the kernel that has seen it.
 */
export class CardModel implements IDisposable {
  constructor(private readonly stream: Stream) {}

  /** There is something else to draw, or to do. */
  get changed(): ISignal<CardModel, void> {
    return this.hasChanged;
  }

  /** What to draw, and whether it is what the server has made, which is safe. */
  get drawn(): { html: string; isServers: boolean } {
    return this.shown;
  }

  get run(): string {
    return this.output?.run ?? '';
  }

  get phase(): PhaseName | undefined {
    return this.shown.phase;
  }

  /** What can be done about the run, where the server knows it. */
  get commands(): readonly ICommand[] {
    const isSettled = this.phase && this.card && isOver(this.phase) === isOver(this.card.phase);
    return isSettled ? this.card!.commands : [];
  }

  /** Why the server tells nothing of the run; '' while that is not known, or when it does. */
  get problem(): string {
    return this.failed;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /** The output is another one: that of a kernel which tells what happens, or of a notebook that is opened. */
  take(output: IOutput): void {
    if (output.run !== this.output?.run) {
      this.card = undefined;
      this.failed = '';
      this.watch?.dispose();
      this.watch = undefined;
      this.shown = { html: '', isServers: false };
    }
    this.output = output;
    if (this.isLast() || !this.isLive()) {
      this.draw(output.html, false, output.phase);
    }
    this.ask();
  }

  /** Whether somebody sees the card: only then the server is asked. */
  set isSeen(isSeen: boolean) {
    this.seen = isSeen;
    if (isSeen) {
      this.ask();
    } else {
      this.watch?.dispose();
      this.watch = undefined;
    }
  }

  dispose(): void {
    this.disposed = true;
    this.watch?.dispose();
    Signal.clearData(this);
  }

  /** Whether the output has the end, as the kernel has drawn it. */
  private isLast(): boolean {
    return this.output !== undefined && this.output.isTrusted && isOver(this.output.phase);
  }

  /** Whether the server tells what happens, or has told the end. */
  private isLive(): boolean {
    const tells = this.watch !== undefined && this.stream.isConnected;
    return this.card !== undefined && (tells || isOver(this.card.phase));
  }

  private ask(): void {
    const { output } = this;
    if (!this.seen || this.watch || !output || (this.card && isOver(this.card.phase))) {
      return;
    }
    if (!RUN_NAME.test(output.run)) {
      this.fail(`${output.run} is not the name of a run`);
      return;
    }
    this.watch = this.stream.watch(`card:${output.run}`, news => {
      if (news.topic === 'card') {
        this.know(news.card);
      } else if (news.topic === 'refused') {
        this.fail(news.message);
      }
    });
  }

  private know(card: ICard): void {
    const { output } = this;
    if (this.disposed || !output || card.run !== output.run) {
      return;
    }
    if (this.card && isOver(this.card.phase) && !isOver(card.phase)) {
      return; // an answer that was overtaken
    }
    this.card = card;
    this.failed = '';
    if (this.isLast()) {
      this.hasChanged.emit();
    } else {
      this.draw(card.html, true, card.phase);
    }
  }

  private fail(message: string): void {
    this.failed = message;
    this.hasChanged.emit();
  }

  private draw(html: string, isServers: boolean, phase: PhaseName): void {
    this.shown = { html, isServers, phase };
    this.hasChanged.emit();
  }

  private readonly hasChanged = new Signal<CardModel, void>(this);
  private shown: { html: string; isServers: boolean; phase?: PhaseName } = {
    html: '',
    isServers: false
  };
  private output: IOutput | undefined;
  private card: ICard | undefined;
  private watch: IDisposable | undefined;
  private failed = '';
  private seen = false;
  private disposed = false;
}
