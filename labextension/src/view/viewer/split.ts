import { SplitPanel, type Widget } from '@lumino/widgets';

const STEP = 0.05;
/** No part gets less than this share of the whole. */
const LEAST = 0.05;

/** Two widgets with a handle between them that is moved by mouse and, unlike that of Lumino, with the keyboard. */
export class Split extends SplitPanel {
  /** @param label - what the handle is called: what it changes the size of. */
  constructor(orientation: SplitPanel.Orientation, label: string, first: Widget, second: Widget) {
    const across = orientation === 'vertical' ? 'horizontal' : 'vertical'; // the handle lies across
    const createHandle = () => {
      const handle = SplitPanel.defaultRenderer.createHandle();
      const about = { role: 'separator', tabindex: '0', 'aria-label': label };
      Object.entries(about).forEach(([name, value]) => handle.setAttribute(name, value));
      handle.setAttribute('aria-orientation', across);
      handle.addEventListener('keydown', event => this.press(event));
      return handle;
    };
    super({ orientation, spacing: 1, renderer: { createHandle } });
    this.addWidget(first);
    this.addWidget(second);
    this.handleMoved.connect(this.tell, this);
  }

  /** Give the first one a share of the whole. */
  set share(share: number) {
    const kept = Math.max(LEAST, Math.min(1 - LEAST, share));
    this.setRelativeSizes([kept, 1 - kept]);
    this.tell();
  }

  get share(): number {
    const [first, second] = this.relativeSizes();
    return first / (first + second);
  }

  private press(event: KeyboardEvent): void {
    const [less, more] =
      this.orientation === 'vertical' ? ['ArrowUp', 'ArrowDown'] : ['ArrowLeft', 'ArrowRight'];
    const wanted: Record<string, () => number> = {
      [less]: () => this.share - STEP,
      [more]: () => this.share + STEP,
      Home: () => LEAST,
      End: () => 1 - LEAST
    };
    if (wanted[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.share = wanted[event.key]();
    }
  }

  private tell(): void {
    const percent = String(Math.round(this.share * 100));
    this.handles[0]?.setAttribute('aria-valuenow', percent);
  }
}
