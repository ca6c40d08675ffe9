import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, InputDialog, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import {
  addBelowIcon,
  copyIcon,
  launchIcon,
  refreshIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import { isOver } from '../model/runs';
import { insertBelow } from '../notebook/cells';
import { DOMAIN, IFlyte } from '../tokens';
import { askToCancel } from '../view/ask';
import { Chosen } from './chosen';
import { said, schema, text } from './said';

const RUN = {
  type: 'string',
  description: 'The name of a run; that of the active cell by default.'
};

const OVERRIDE = 'retries=3, resources=memory=2Gi';

/** What can be done with a run. */
export const commands: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:commands',
  description: 'What can be done with a run, as commands.',
  autoStart: true,
  requires: [IFlyte, ITranslator],
  optional: [INotebookTracker, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    translator: ITranslator,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null
  ) => {
    const { client, runs } = flyte;
    const trans = translator.load(DOMAIN);
    const chosen = new Chosen(app, runs, notebooks, trans);
    const hasNotebook = () => Boolean(notebooks?.currentWidget);
    const insert = (code: string) => {
      if (notebooks?.currentWidget) {
        insertBelow(notebooks.currentWidget, code);
      }
    };
    const add = (id: string, label: string, options: CommandRegistry.ICommandOptions) => {
      const shown: CommandRegistry.ICommandOptions['label'] = args => (args.toolbar ? '' : label);
      app.commands.addCommand(id, { label: shown, ...options });
    };

    const cancel = async (run: string, reason = '') => {
      await said(trans.__('The run could not be cancelled.'), () => client.cancel(run, reason));
    };
    const isOpen = (args: ReadonlyPartialJSONObject) => {
      const known = runs.get(chosen.named(args));
      return !known || !isOver(known.phase);
    };
    add(CommandIDs.cancel, trans.__('Cancel Run'), {
      caption: trans.__('Stop a run and everything that it has called, at once'),
      icon: stopIcon,
      describedBy: { args: schema({ run: RUN, reason: { type: 'string' } }) },
      isEnabled: isOpen,
      execute: async args => {
        const run = await chosen.one(args, trans.__('Cancel Run'), each => !isOver(each.phase));
        await (run && cancel(run, text(args.reason)));
      }
    });
    add(CommandIDs.confirmCancel, trans.__('Cancel Run…'), {
      caption: trans.__('Stop a run and everything that it has called'),
      icon: stopIcon,
      describedBy: { args: schema({ run: RUN }) },
      isEnabled: isOpen,
      execute: async args => {
        const run = await chosen.one(args, trans.__('Cancel Run'), each => !isOver(each.phase));
        if (!run) {
          return;
        }
        const known = runs.get(run) ?? (await client.run(run)).summary;
        await askToCancel(known, app.commands, trans);
      }
    });

    const again = async (run: string, override: string) => {
      const made = await said(trans.__('The run could not be run again.'), () =>
        client.rerun(run, override)
      );
      if (made) {
        const show = () => insert(`flyte.get_run('${made.run}')`);
        const open = () => void app.commands.execute(CommandIDs.openRun, { run: made.run });
        Notification.success(trans.__('Runs again as %1.', made.run), {
          autoClose: 10_000,
          actions: [
            ...(hasNotebook() ? [{ label: trans.__('Show in a Cell'), callback: show }] : []),
            { label: trans.__('Open Run'), callback: open }
          ]
        });
      }
      return made?.run;
    };
    add(CommandIDs.rerun, trans.__('Run Again'), {
      label: args =>
        args.toolbar ? '' : args.ask ? trans.__('Run Again with…') : trans.__('Run Again'),
      caption: trans.__('Run the same call again, as it was or with other parameters'),
      icon: refreshIcon,
      describedBy: {
        args: schema({
          run: RUN,
          override: { type: 'string', description: `Such as "${OVERRIDE}".` },
          ask: { type: 'boolean', description: 'Whether to ask for the override.' }
        })
      },
      isEnabled: args => runs.get(chosen.named(args))?.can_rerun !== false,
      execute: async args => {
        const run = await chosen.one(args, trans.__('Run Again'), each => each.can_rerun);
        let override = text(args.override);
        if (run && args.ask) {
          const asked = await InputDialog.getText({
            title: trans.__('Run %1 again with', runs.get(run)?.title ?? run),
            label: trans.__('Parameters that are to be another way'),
            placeholder: OVERRIDE,
            okLabel: trans.__('Run Again')
          });
          if (!asked.button.accept) {
            return;
          }
          override = asked.value ?? '';
        }
        return run && again(run, override);
      }
    });

    add(CommandIDs.openRunHere, trans.__('Open Run'), {
      caption: trans.__('Show the run of the active cell in a tab of its own'),
      icon: launchIcon,
      describedBy: { args: schema({}) },
      isVisible: () => app.commands.hasCommand(CommandIDs.openRun),
      execute: async args => {
        const run = await chosen.one(args, trans.__('Open Run'));
        await (run && app.commands.execute(CommandIDs.openRun, { run }));
      }
    });
    add(CommandIDs.copyCode, trans.__('Copy Code for Run'), {
      label: args => text(args.label) || (args.toolbar ? '' : trans.__('Copy Code for Run')),
      caption: trans.__('Copy the line of code that gets a run'),
      icon: copyIcon,
      describedBy: { args: schema({ run: RUN, code: { type: 'string' } }) },
      execute: async args => {
        const run = args.code ? '' : await chosen.one(args, trans.__('Copy Code for Run'));
        const code = text(args.code) || (run ? `flyte.get_run('${run}')` : '');
        if (code) {
          Clipboard.copyToSystem(code);
        }
      }
    });
    add(CommandIDs.insertCode, trans.__('Insert Code into a New Cell'), {
      label: args => text(args.label) || trans.__('Insert Code into a New Cell'),
      caption: trans.__('Put code into a new cell below the active one, without running it'),
      icon: addBelowIcon,
      describedBy: { args: schema({ code: { type: 'string' }, label: { type: 'string' } }) },
      isEnabled: hasNotebook,
      execute: args => insert(text(args.code))
    });
    add(CommandIDs.attach, trans.__('Get Its Value in a New Cell'), {
      caption: trans.__('Put the line that gets the value of a run into a new cell'),
      icon: addBelowIcon,
      describedBy: { args: schema({ run: RUN }) },
      isEnabled: hasNotebook,
      execute: async args => {
        const run = await chosen.one(args, trans.__('Get the Value of Run'));
        if (run) {
          insert(`flyte.attach('${run}')`);
        }
      }
    });

    const category = trans.__('Flyte');
    for (const command of [
      CommandIDs.confirmCancel,
      CommandIDs.rerun,
      CommandIDs.openRunHere,
      CommandIDs.copyCode,
      CommandIDs.attach,
      CommandIDs.settings
    ]) {
      palette?.addItem({ command, category });
    }
    palette?.addItem({ command: CommandIDs.rerun, args: { ask: true }, category });
  }
};
