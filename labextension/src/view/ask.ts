import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { IRunSummary } from '../api/generated';
import { CommandIDs } from '../commands';

/** Ask whether a run is to be cancelled, and do so. */
export async function askToCancel(
  run: IRunSummary,
  commands: CommandRegistry,
  trans: TranslationBundle
): Promise<void> {
  const sure = await ask(
    trans.__('Cancel %1?', run.title),
    trans.__('It stops with everything that it has called. (%1)', run.name),
    trans.__('Cancel Run'),
    trans
  );
  if (sure) {
    await commands.execute(CommandIDs.cancel, { run: run.name });
  }
}

/** Ask before something that cannot be undone. */
export async function ask(
  title: string,
  body: string,
  label: string,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title,
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Keep') }),
      Dialog.warnButton({ label, accept: true })
    ],
    defaultButton: 1
  });
  return button.accept;
}
