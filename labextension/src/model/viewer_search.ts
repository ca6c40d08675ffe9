import { Signal, type ISignal } from '@lumino/signaling';

import type { LogModel } from './viewer_logs';

/** Lines that are looked at before the page gets its turn. */
const AT_ONCE = 4000;

/** Which lines of a log have a text in them; goes on as more lines come. */
export class LogSearch {
  /** @param plain - what is seen of a line. */
  constructor(
    private readonly log: LogModel,
    private readonly plain: (line: string) => string
  ) {
    log.changed.connect(this.more, this);
  }

  get changed(): ISignal<LogSearch, void> {
    return this.hasChanged;
  }

  get text(): string {
    return this.wanted;
  }

  /** The numbers of lines in which it was found, in their order. */
  get found(): readonly number[] {
    return this.lines;
  }

  /** Which of those is shown; -1 for none. */
  get at(): number {
    return this.place;
  }

  /** The number of the line that is shown; -1 for none. */
  get line(): number {
    return this.lines[this.place] ?? -1;
  }

  /** Whether not all lines were looked at. */
  get isBusy(): boolean {
    return this.wanted !== '' && this.next < this.log.total;
  }

  /** Search for a text, upper or lower case; '' ends it. */
  search(text: string): void {
    this.wanted = text;
    this.lines = [];
    this.place = -1;
    this.next = 0;
    this.hasChanged.emit();
    if (text) {
      void this.log.all();
      this.more();
    }
  }

  /** Go to the next one, or with -1 to the one before; round and round. */
  step(by: 1 | -1): void {
    const count = this.lines.length;
    if (count) {
      this.place = this.place < 0 && by < 0 ? count - 1 : (this.place + by + count) % count;
      this.hasChanged.emit();
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.log.changed.disconnect(this.more, this);
    Signal.clearData(this);
  }

  private more(): void {
    clearTimeout(this.timer);
    if (!this.wanted) {
      return;
    }
    const wanted = this.wanted.toLowerCase();
    const end = Math.min(this.log.total, this.next + AT_ONCE);
    const before = this.next;
    for (; this.next < end; this.next++) {
      const line = this.log.line(this.next);
      if (!line) {
        break; // it is being loaded
      }
      if (this.plain(line[2]).toLowerCase().includes(wanted)) {
        this.lines.push(this.next);
      }
    }
    if (this.place < 0 && this.lines.length) {
      this.place = 0;
    }
    if (this.next > before) {
      this.hasChanged.emit();
      this.timer = setTimeout(() => this.more());
    }
  }

  private readonly hasChanged = new Signal<LogSearch, void>(this);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wanted = '';
  private lines: number[] = [];
  private place = -1;
  private next = 0;
}
