import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { IRunSummary } from '../api/generated';
import type { RunsModel } from '../model/runs';
import { phaseWord } from '../view/phase';
import { text } from './said';

const CARD = '.flyte-Card[data-run]';
const MOST = 100;

/** Says which run a command is about. */
export class Chosen {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly runs: RunsModel,
    private readonly notebooks: INotebookTracker | null,
    private readonly trans: TranslationBundle
  ) {}

  /**
   * The run that is named, that of the card whose context menu was opened, or of the active cell; '' for none of them.
   */
  named(args: ReadonlyPartialJSONObject): string {
    if (args.run !== undefined) {
      return text(args.run);
    }
    if (args.context) {
      return this.app.contextMenuHitTest(node => node.matches(CARD))?.dataset.run ?? '';
    }
    const cards = this.notebooks?.activeCell?.node.querySelectorAll<HTMLElement>(CARD);
    return cards?.length ? (cards[cards.length - 1].dataset.run ?? '') : '';
  }

  /** The same, or one of those that fit, which is asked for; undefined when none is chosen. */
  async one(
    args: ReadonlyPartialJSONObject,
    title: string,
    fits: (run: IRunSummary) => boolean = () => true
  ): Promise<string | undefined> {
    const named = this.named(args);
    if (named) {
      return named;
    }
    const found = this.runs.all().filter(fits).slice(0, MOST);
    const items = found.map(
      run => `${run.title} — ${phaseWord(run.phase, this.trans)} — ${run.name}`
    );
    if (!items.length) {
      items.push(this.trans.__('There is none'));
    }
    const answer = await InputDialog.getItem({ title, items, label: this.trans.__('Run') });
    return answer.button.accept ? found[items.indexOf(answer.value ?? '')]?.name : undefined;
  }
}
