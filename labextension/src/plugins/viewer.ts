import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { listIcon } from '@jupyterlab/ui-components';

import { CommandIDs } from '../commands';
import type { TabName } from '../model/viewer';
import { DOMAIN, IFlyte } from '../tokens';
import { flyteIcon } from '../view/icons';
import type { RunViewer } from '../view/viewer/panel';

const ARGS = {
  type: 'object',
  required: ['run'],
  properties: {
    run: { type: 'string', description: 'The name of the run, such as "r0m4t8w1k2c9d".' },
    action: { type: 'string', description: 'The name of one of its actions; the first by default.' }
  }
} as const;

/** The run viewer: a panel of the main area for each run that is opened. */
export const viewer: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:viewer',
  description: 'Shows a run: its actions, their logs, resources, reports and code.',
  autoStart: true,
  requires: [IFlyte, IEditorServices],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    editors: IEditorServices,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { commands, shell } = app;
    const tracker = new WidgetTracker<MainAreaWidget<RunViewer>>({ namespace: 'flyte-run' });

    const open = async (run: string, action?: string, tab?: TabName) => {
      const { viewerTab } = await import('../view/viewer/tab');
      let widget = tracker.find(({ content }) => content.model.run === run);
      if (!widget) {
        widget = viewerTab(flyte, run, { commands, editors, trans });
        await tracker.add(widget);
        shell.add(widget, 'main', { type: 'Flyte run' });
      }
      const { model } = widget.content;
      if (action) {
        model.rows.select(action);
      }
      if (tab) {
        model.tab = tab;
      }
      shell.activateById(widget.id);
    };

    const describedBy = { args: ARGS };
    commands.addCommand(CommandIDs.openRun, {
      label: trans.__('Open Run'),
      caption: trans.__('Show the actions, logs and results of a run'),
      icon: flyteIcon,
      describedBy,
      execute: given => open(String(given['run']), given['action'] as string | undefined)
    });
    commands.addCommand(CommandIDs.openLogs, {
      label: trans.__('Show Logs'),
      caption: trans.__('Show what a run has printed'),
      icon: listIcon,
      describedBy,
      execute: given => open(String(given['run']), given['action'] as string | undefined, 'logs')
    });
    if (restorer) {
      void restorer.restore(tracker, {
        command: CommandIDs.openRun,
        args: ({ content }) => ({ run: content.model.run }),
        name: ({ content }) => content.model.run
      });
    }
  }
};
