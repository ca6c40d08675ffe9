import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { type MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { listIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { TabPanel } from '@lumino/widgets';

import { CommandIDs } from '../commands';
import type { TabName } from '../model/viewer';
import * as notebook7 from '../notebook7';
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

/** The run viewer: a panel of the main area for each run that is opened; in Notebook 7 a browser tab. */
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

    const tabs = notebook7.tabsOf(app);
    const show = async (run: string, action?: string, tab?: TabName) => {
      const { viewerTab } = await import('../view/viewer/tab');
      const beside = await tabs;
      let widget = tracker.find(({ content }) => content.model.run === run);
      if (!widget) {
        widget = viewerTab(flyte, run, { commands, editors, trans });
        await tracker.add(widget);
        if (beside) {
          beside.addWidget(widget);
        } else {
          shell.add(widget, 'main', { type: 'Flyte run' });
        }
      }
      const { model } = widget.content;
      if (action) {
        model.rows.select(action);
      }
      if (tab) {
        model.tab = tab;
      }
      if (beside) {
        beside.currentWidget = widget;
      }
      shell.activateById(widget.id);
    };
    const open = async (given: ReadonlyPartialJSONObject, tab?: TabName) => {
      const run = String(given['run']);
      const action = given['action'] as string | undefined;
      if (!notebook7.isDocumentPage()) {
        await show(run, action, tab);
      } else if (!notebook7.openRunPage(app, { run, action, tab })) {
        Notification.warning(trans.__('The browser does not let a tab for the run be opened.'), {
          autoClose: 5000
        });
      }
    };

    const describedBy = { args: ARGS };
    commands.addCommand(CommandIDs.openRun, {
      label: trans.__('Open Run'),
      caption: trans.__('Show the actions, logs and results of a run'),
      icon: flyteIcon,
      describedBy,
      execute: given => open(given)
    });
    commands.addCommand(CommandIDs.openLogs, {
      label: trans.__('Show Logs'),
      caption: trans.__('Show what a run has printed'),
      icon: listIcon,
      describedBy,
      execute: given => open(given, 'logs')
    });
    if (restorer) {
      void restorer.restore(tracker, {
        command: CommandIDs.openRun,
        args: ({ content }) => ({ run: content.model.run }),
        name: ({ content }) => content.model.run
      });
    }
    void tabs?.then(beside => follow(beside, tracker, show));
  }
};

/** In Notebook 7 the address says which run is shown. */
function follow(
  tabs: TabPanel,
  tracker: WidgetTracker<MainAreaWidget<RunViewer>>,
  show: (run: string, action?: string, tab?: TabName) => Promise<void>
): void {
  const asked = notebook7.addressedRun();
  if (asked) {
    void show(asked.run, asked.action, asked.tab === 'logs' ? 'logs' : undefined);
  }
  const { title } = document;
  let current: MainAreaWidget<RunViewer> | undefined;
  const name = () => {
    document.title = current?.title.label ?? title;
  };
  tabs.currentChanged.connect((_, { currentWidget }) => {
    current?.title.changed.disconnect(name);
    current = tracker.find(widget => widget === currentWidget);
    current?.title.changed.connect(name);
    notebook7.setAddressedRun(current?.content.model.run ?? '');
    name();
  });
}
