import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { PhaseName } from '../api/generated';
import { CardModel } from '../model/card';
import type { IFlyte } from '../tokens';
import { Bar } from './bar';
import { morph } from './morph';

export const MIME = 'application/vnd.flyte.run.v1+json';

/** What a card needs of the application. */
export interface ICardContext {
  flyte: IFlyte;
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** Makes the cell that a node is in the active one. */
  select: (node: Node) => void;
}

/** The card of a run in an output: as it was saved, then as it is. */
export class RenderedCard extends Widget implements IRenderMime.IRenderer {
  constructor(
    private readonly sanitizer: IRenderMime.ISanitizer,
    private readonly context: ICardContext
  ) {
    super();
    this.addClass('jp-RenderedHTMLCommon'); // as an output of HTML, so that a card looks alike with us and without
    this.addClass('jp-RenderedHTML');
    this.addClass('flyte-Card');
    this.node.dataset.mimeType = MIME;
    this.node.append(this.body);
    this.model = new CardModel(context.flyte.stream);
    this.model.changed.connect(this.draw, this);
    this.bar = new Bar(context.commands, context.trans, () => context.select(this.node));
    this.note.className = 'flyte-Card-note';
    this.seen = new IntersectionObserver(
      entries => {
        this.model.isSeen = entries[entries.length - 1].isIntersecting;
      },
      { rootMargin: '100px' }
    );
  }

  renderModel(output: IRenderMime.IMimeModel): Promise<void> {
    const data = output.data[MIME] as { run?: unknown; phase?: unknown; title?: unknown };
    this.title.label = String(data.title ?? '');
    if (this.isTrusted !== output.trusted) {
      this.isTrusted = output.trusted;
      this.drawn = ''; // what was taken out of the HTML comes back
    }
    const html = textOf(output.data['text/html']);
    const text = textOf(output.data['text/plain']);
    this.model.take({
      run: String(data.run ?? ''),
      phase: String(data.phase ?? '') as PhaseName,
      html: html || `<pre>${text.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</pre>`,
      isTrusted: output.trusted
    });
    return Promise.resolve();
  }

  override dispose(): void {
    this.seen.disconnect();
    this.model.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.seen.observe(this.node);
  }

  protected override onBeforeDetach(message: Message): void {
    this.seen.unobserve(this.node);
    this.model.isSeen = false;
    super.onBeforeDetach(message);
  }

  private draw(): void {
    const { drawn, run, commands, problem } = this.model;
    if (drawn.html !== this.drawn) {
      this.drawn = drawn.html;
      const isSafe = drawn.isServers || this.isTrusted;
      const wanted = parse(isSafe ? drawn.html : this.sanitizer.sanitize(drawn.html));
      morph(this.body, wanted, node => node === this.bar.node || node === this.note);
    }
    this.node.dataset.run = run;
    this.node.dataset.source = drawn.isServers ? 'server' : 'output';
    this.bar.show(run, this.title.label, commands);
    this.note.textContent = problem ? this.context.trans.__('as saved') : '';
    this.note.title = problem;
    const head = this.body.querySelector('.fr-head') ?? this.body;
    for (const each of [this.note, this.bar.node]) {
      if (each.parentNode !== head) {
        head.append(each);
      }
    }
  }

  private readonly model: CardModel;
  private readonly bar: Bar;
  private readonly body = document.createElement('div');
  private readonly note = document.createElement('span');
  private readonly seen: IntersectionObserver;
  private drawn = '';
  private isTrusted = false;
}

/** HTML as the children of an element; nothing of it is loaded or run before it stands in the page. */
function parse(html: string): Element {
  const template = document.createElement('template');
  template.innerHTML = html;
  const made = template.content.ownerDocument.createElement('div');
  made.append(template.content);
  return made;
}

/** A text of a notebook file may be a list of its lines. */
function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join('') : typeof value === 'string' ? value : '';
}
