import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { addBelowIcon, copyIcon, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import { insertBelow } from '../notebook/cells';
import { DOMAIN, IFlyte } from '../tokens';

export { CommandIDs } from '../commands';

const RUN = { type: 'string', description: 'The name of a run' } as const;

/** What can be done with a run. */
export const commands: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:commands',
  description: 'What can be done with a run, as commands.',
  autoStart: true,
  requires: [IFlyte, ITranslator],
  optional: [INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    translator: ITranslator,
    notebooks: INotebookTracker | null
  ) => {
    const trans = translator.load(DOMAIN);
    const hasNotebook = () => Boolean(notebooks?.currentWidget);
    const insert = (code: string) => {
      const panel = notebooks?.currentWidget;
      if (panel) {
        insertBelow(panel, code);
      }
    };

    app.commands.addCommand(CommandIDs.cancel, {
      label: trans.__('Cancel Run'),
      caption: trans.__('Stop a run and everything that it has called'),
      icon: stopIcon,
      describedBy: { args: schema({ run: RUN, reason: { type: 'string' } }) },
      execute: async args => {
        await said(trans.__('The run could not be cancelled'), () =>
          flyte.client.cancel(text(args.run), text(args.reason))
        );
      }
    });
    app.commands.addCommand(CommandIDs.rerun, {
      label: trans.__('Run Again'),
      caption: trans.__('Run the same call again, with other parameters if some are given'),
      icon: refreshIcon,
      describedBy: {
        args: schema({
          run: RUN,
          override: { type: 'string', description: 'Such as retries=3, resources=memory=2Gi' }
        })
      },
      execute: async args => {
        const made = await said(trans.__('The run could not be run again'), () =>
          flyte.client.rerun(text(args.run), text(args.override))
        );
        if (made) {
          Notification.success(trans.__('Runs again as %1', made.run), {
            autoClose: 5000,
            actions: [
              {
                label: trans.__('Show in a Cell'),
                callback: () => insert(`flyte.get_run('${made.run}')`)
              },
              {
                label: trans.__('Open Run'),
                callback: () => void app.commands.execute(CommandIDs.openRun, { run: made.run })
              }
            ]
          });
        }
        return made?.run;
      }
    });
    app.commands.addCommand(CommandIDs.copyCode, {
      label: args => text(args.label) || trans.__('Copy Code for Run'),
      caption: trans.__('Copy the line of code that gets a run'),
      icon: copyIcon,
      describedBy: { args: schema({ run: RUN, code: { type: 'string' } }) },
      execute: args => {
        Clipboard.copyToSystem(text(args.code) || `flyte.get_run('${text(args.run)}')`);
      }
    });
    app.commands.addCommand(CommandIDs.insertCode, {
      label: args => text(args.label) || trans.__('Insert Code into a New Cell'),
      caption: trans.__('Put code into a new cell below the active one, without running it'),
      icon: addBelowIcon,
      describedBy: { args: schema({ code: { type: 'string' } }) },
      isEnabled: hasNotebook,
      execute: args => insert(text(args.code))
    });
    app.commands.addCommand(CommandIDs.attach, {
      label: trans.__('Attach Its Value in a New Cell'),
      caption: trans.__('Put the line that gets the value of a run into a new cell'),
      icon: addBelowIcon,
      describedBy: { args: schema({ run: RUN }) },
      isEnabled: hasNotebook,
      execute: args => insert(`flyte.attach('${text(args.run)}')`)
    });
  }
};

/** The schema of a command's arguments. */
export function schema(properties: ReadonlyJSONObject): ReadonlyJSONObject {
  return { type: 'object', properties };
}

/** Do something; what goes wrong is shown as a notification. */
async function said<T>(title: string, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    Notification.error(`${title}: ${message}`, { autoClose: false });
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
