import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { EVERY_RUN } from '../model/filter';
import { Machine } from '../model/machine';
import { RunList } from '../model/runlist';
import { Kernels } from '../notebook/kernels';
import { OpenNotebook } from '../notebook/open_notebook';
import { tabsOf } from '../notebook7';
import { DOMAIN, IFlyte, IFlyteCells, IFlyteSettings } from '../tokens';
import { flyteIcon } from '../view/icons';
import { Look } from '../view/look';
import { Sidebar } from '../view/sidebar';
import { addMachineCommands } from './machine_commands';

/** Below the list of what runs, above the table of contents. */
const RANK = 350;

/** Runs and all that belongs to them, at the left; on the first page of Notebook 7 a tab. */
export const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:sidebar',
  description: 'A sidebar with runs, environments, tasks, pools, queues, triggers and clusters.',
  autoStart: true,
  requires: [IFlyte, IFlyteSettings, ITranslator],
  optional: [ILayoutRestorer, INotebookTracker, IFlyteCells, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    settings: IFlyteSettings,
    translator: ITranslator,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    cells: IFlyteCells | null,
    palette: ICommandPalette | null
  ) => {
    const { commands, serviceManager, shell } = app;
    const trans = translator.load(DOMAIN);
    const list = new RunList(flyte.client, flyte.runs, flyte.stream);
    void list.refresh(); // now, so that it is there when the sidebar is seen
    const machine = new Machine(flyte.client);
    const look = new Look();
    const panel = new Sidebar({
      list,
      machine,
      look,
      runs: flyte.runs,
      kernels: new Kernels(serviceManager.sessions, notebooks),
      notebook: notebooks && cells && new OpenNotebook(notebooks, cells),
      commands,
      translator
    });
    panel.title.icon = flyteIcon;
    const tabs = tabsOf(app);
    if (tabs) {
      panel.title.label = trans.__('Flyte');
      void tabs.then(beside => beside.insertWidget(2, panel)); // after files and what runs
    } else {
      shell.add(panel, 'left', { rank: RANK, type: 'Flyte' });
      restorer?.add(panel, panel.id);
    }

    addMachineCommands(app, flyte.client, machine, trans);
    commands.addCommand(CommandIDs.showRuns, {
      label: args => (args.task ? trans.__('Show Its Runs') : trans.__('Show Flyte Runs')),
      caption: trans.__('Show the sidebar with all runs, or with those of a task'),
      icon: flyteIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: { task: { type: 'string', description: 'The full name of a task' } }
        }
      },
      execute: async args => {
        if (typeof args.task === 'string') {
          list.filter = { ...EVERY_RUN, task: args.task };
        }
        if (tabs) {
          (await tabs).currentWidget = panel;
        }
        shell.activateById(panel.id);
        panel.showRuns();
      }
    });
    palette?.addItem({ command: CommandIDs.showRuns, category: trans.__('Flyte') });

    const follow = () => {
      look.isRoomy = settings.now.density === 'comfortable';
      machine.pace = settings.now.refresh;
    };
    settings.changed.connect(follow);
    follow();
  }
};
