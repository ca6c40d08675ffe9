import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';

import { CommandIDs } from '../commands';
import { RunList } from '../model/runlist';
import { Kernels } from '../notebook/kernels';
import { DOMAIN, IFlyte } from '../tokens';
import { flyteIcon } from '../view/icons';
import { runsSection } from '../view/runssection';

const ID = 'flyte-sidebar';
/** Below the list of what runs, above the table of contents. */
const RANK = 350;

/** Runs and all that belongs to them, at the left. */
export const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:sidebar',
  description: 'A sidebar with runs, environments, tasks, pools, queues, triggers and clusters.',
  autoStart: true,
  requires: [IFlyte, ITranslator],
  optional: [ILayoutRestorer, INotebookTracker, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    translator: ITranslator,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null
  ) => {
    const { commands, serviceManager, shell } = app;
    const trans = translator.load(DOMAIN);
    const list = new RunList(flyte.client, flyte.runs, flyte.stream);
    const kernels = new Kernels(serviceManager.sessions, notebooks);
    const panel = new SidePanel({ translator });
    panel.id = ID;
    panel.addClass('flyte-Sidebar');
    panel.title.icon = flyteIcon;
    panel.title.caption = trans.__('Flyte: runs, tasks, pools, queues, triggers, clusters');
    panel.addWidget(runsSection({ flyte, list, kernels, commands, trans }));
    shell.add(panel, 'left', { rank: RANK, type: 'Flyte' });
    restorer?.add(panel, ID);

    commands.addCommand(CommandIDs.showRuns, {
      label: trans.__('Show Flyte Runs'),
      caption: trans.__('Show the sidebar with all runs'),
      icon: flyteIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => shell.activateById(ID)
    });
    palette?.addItem({ command: CommandIDs.showRuns, category: trans.__('Flyte') });
  }
};
