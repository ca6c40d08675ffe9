import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { CommandToolbarButton, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { listIcon } from '@jupyterlab/ui-components';

import { CommandIDs } from '../commands';
import { isOver } from '../model/runs';
import { ViewerModel, type TabName } from '../model/viewer';
import { DOMAIN, IFlyte } from '../tokens';
import { flyteIcon } from '../view/icons';
import { RunViewer } from '../view/viewer/panel';

const ARGS = {
  type: 'object',
  required: ['run'],
  properties: {
    run: { type: 'string', description: 'The name of the run, such as "r0m4t8w1k2c9d".' },
    action: { type: 'string', description: 'The name of one of its actions; the first by default.' }
  }
} as const;

const BUTTONS = [CommandIDs.cancel, CommandIDs.rerun, CommandIDs.copyCode, CommandIDs.goToCell];

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

    const make = (run: string) => {
      const model = new ViewerModel(flyte.client, flyte.stream, run, name => flyte.runs.get(name));
      const content = new RunViewer({ model, commands, editors, trans });
      const widget = new MainAreaWidget({ content });
      widget.id = `flyte-run-${run}`;
      widget.title.label = flyte.runs.get(run)?.title ?? run;
      widget.title.caption = run;
      widget.title.closable = true;
      widget.title.icon = flyteIcon;
      const buttons = BUTTONS.map(id => {
        const button = new CommandToolbarButton({ commands, id, args: { run } });
        widget.toolbar.addItem(id, button);
        return [id, button] as const;
      });
      const follow = () => {
        const { summary } = model;
        const isEnded = model.phase !== undefined && isOver(model.phase);
        widget.title.label = summary?.title ?? run;
        for (const [id, button] of buttons) {
          const isIdle = id === CommandIDs.cancel ? isEnded : id === CommandIDs.rerun && !isEnded;
          const isAway = id === CommandIDs.goToCell && !summary?.notebook;
          button.setHidden(isIdle || isAway);
        }
      };
      model.changed.connect(follow);
      model.actions.changed.connect(follow);
      void model.load();
      return widget;
    };

    const open = async (run: string, action?: string, tab?: TabName) => {
      let widget = tracker.find(({ content }) => content.model.run === run);
      if (!widget) {
        widget = make(run);
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
