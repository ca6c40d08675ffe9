import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  Dialog,
  ICommandPalette,
  InputDialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';
import { cleaningIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { IPruned } from '../api/generated';
import { CommandIDs } from '../commands';
import { DOMAIN, IFlyte } from '../tokens';
import { bytes } from '../view/words';
import { said, schema } from './said';

const DAYS = 30;
const LISTED = 10;
const SHOWN = 5000; // ms

/** Deletes old runs, after it has shown which. */
export const prune: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:prune',
  description: 'Deletes runs that ended long ago.',
  autoStart: true,
  requires: [IFlyte, ITranslator],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    translator: ITranslator,
    palette: ICommandPalette | null
  ) => {
    const { client, runs } = flyte;
    const trans = translator.load(DOMAIN);
    const title = trans.__('Delete Old Runs');
    const failed = trans.__('Old runs could not be deleted.');

    const confirm = async (found: IPruned, days: number): Promise<boolean> => {
      const lines = found.runs.slice(0, LISTED).map(run => {
        const known = runs.get(run);
        return known ? `${known.title} — ${run}` : run;
      });
      const more = found.runs.length - lines.length;
      const question = trans._n(
        '%1 run ended more than %2 days ago. Deleting it frees %3.',
        '%1 runs ended more than %2 days ago. Deleting them frees %3.',
        found.runs.length,
        days,
        bytes(found.bytes)
      );
      const body = (
        <div className="flyte-Pruned">
          <p>{question}</p>
          <ul>
            {lines.map(line => (
              <li key={line}>{line}</li>
            ))}
            {more > 0 && <li key="more">{trans.__('and %1 more', more)}</li>}
          </ul>
        </div>
      );
      const { button } = await showDialog({
        title,
        body,
        buttons: [
          Dialog.cancelButton(),
          Dialog.warnButton({
            label: trans._n('Delete %1 Run', 'Delete %1 Runs', found.runs.length)
          })
        ],
        defaultButton: 0
      });
      return button.accept;
    };

    app.commands.addCommand(CommandIDs.prune, {
      label: trans.__('Delete Old Runs…'),
      caption: trans.__('Delete runs that ended long ago, with what only they have kept'),
      icon: cleaningIcon,
      describedBy: { args: schema({ days: { type: 'number', minimum: 0 } }) },
      execute: async args => {
        const asked = await InputDialog.getNumber({
          title,
          label: trans.__('Of runs that ended more than so many days ago'),
          value: typeof args.days === 'number' ? args.days : DAYS,
          okLabel: trans.__('Show Them')
        });
        const days = asked.value;
        if (!asked.button.accept || days === null || days < 0) {
          return;
        }
        const found = await said(failed, () => client.prune(days, true));
        if (found && !found.runs.length) {
          Notification.info(trans.__('No run ended more than %1 days ago.', days), {
            autoClose: SHOWN
          });
        } else if (found && (await confirm(found, days))) {
          const done = await said(failed, () => client.prune(days, false));
          if (done) {
            const freed = bytes(done.bytes);
            Notification.success(
              trans._n(
                '%1 run is deleted, %2 are free.',
                '%1 runs are deleted, %2 are free.',
                done.runs.length,
                freed
              ),
              { autoClose: SHOWN }
            );
          }
        }
      }
    });
    palette?.addItem({ command: CommandIDs.prune, category: trans.__('Flyte') });
  }
};
