import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, deleteIcon, pauseIcon, runIcon, type LabIcon } from '@jupyterlab/ui-components';

import type { Client } from '../api/client';
import { CommandIDs } from '../commands';
import type { Machine } from '../model/machine';
import type { Polled } from '../model/polled';
import { ask } from '../view/ask';

/** What can be done with pools and triggers. */
export function addMachineCommands(
  { commands }: JupyterFrontEnd,
  client: Client,
  { pools, triggers }: Machine,
  trans: TranslationBundle
): void {
  const add = (
    command: string,
    of: { label: string; caption: string; icon: LabIcon; id: string },
    list: Polled<unknown>,
    act: (id: string, name: string) => Promise<unknown>
  ) =>
    commands.addCommand(command, {
      label: of.label,
      caption: of.caption,
      icon: of.icon,
      describedBy: {
        args: {
          type: 'object',
          required: ['id'],
          properties: {
            id: { type: 'string', description: of.id },
            name: { type: 'string', description: 'What it is called when one is asked' }
          }
        }
      },
      execute: async args => {
        try {
          await act(String(args.id), String(args.name ?? args.id));
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          Notification.error(`${of.label}: ${message}`, { autoClose: false });
        }
        await list.refresh();
      }
    });

  const trigger = 'The id of a trigger';
  add(
    CommandIDs.shutdownPool,
    {
      label: trans.__('Shut Down Pool'),
      caption: trans.__('End its processes: idle ones now, busy ones after their call'),
      icon: closeIcon,
      id: 'The id of a pool'
    },
    pools,
    id => client.shutdown(id)
  );
  add(
    CommandIDs.activateTrigger,
    {
      label: trans.__('Activate Trigger'),
      caption: trans.__('Let it fire'),
      icon: runIcon,
      id: trigger
    },
    triggers,
    id => client.change(id, 'activate')
  );
  add(
    CommandIDs.deactivateTrigger,
    {
      label: trans.__('Deactivate Trigger'),
      caption: trans.__('Do not let it fire until it is activated again'),
      icon: pauseIcon,
      id: trigger
    },
    triggers,
    id => client.change(id, 'deactivate')
  );
  add(
    CommandIDs.deleteTrigger,
    {
      label: trans.__('Delete Trigger'),
      caption: trans.__('Remove it; runs that it has started go on'),
      icon: deleteIcon,
      id: trigger
    },
    triggers,
    async (id, name) => {
      const title = trans.__('Delete the trigger %1?', name);
      const body = trans.__('It no longer fires. Runs that it has started go on.');
      if (await ask(title, body, trans.__('Delete'), trans)) {
        await client.change(id, 'delete');
      }
    }
  );
}
