import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { CellRuns, cellKey } from '../model/cell_runs';
import { DOMAIN, IFlyte } from '../tokens';
import { Badge } from '../view/badge';

/** So many runs of a notebook are looked at when it is opened. */
const MOST = 500;

/** In the toolbar of a cell: how the last run went that it has started. */
export const cellsBadge: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:cells-badge',
  description: 'Shows in the toolbar of a cell how the last run went that it has started.',
  autoStart: true,
  requires: [IToolbarWidgetRegistry, INotebookTracker, IFlyte],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    toolbars: IToolbarWidgetRegistry,
    tracker: INotebookTracker,
    flyte: IFlyte,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const runs = new CellRuns(flyte.runs);
    const path = (panel: NotebookPanel) =>
      app.serviceManager.contents.localPath(panel.context.path);
    const panels = new WeakMap<Cell, NotebookPanel>(); // each badge asks at each change
    const keyOf = (cell: Cell): string => {
      const panel = panels.get(cell) ?? tracker.find(each => each.content.widgets.includes(cell));
      if (!panel) {
        return '';
      }
      panels.set(cell, panel);
      return cellKey(path(panel), cell.model.id);
    };
    toolbars.addFactory<Cell>('Cell', 'flyte-badge', cell => {
      const open = (run: string) => void app.commands.execute(CommandIDs.openRun, { run });
      return new Badge(runs, () => keyOf(cell), open, trans);
    });
    const look = async (panel: NotebookPanel) => {
      await panel.context.ready;
      const page = await flyte.client.runs({ notebook: path(panel), limit: MOST });
      runs.add(page.runs);
    };
    const unknown = () => undefined; // the list of runs says why the server cannot be asked
    tracker.widgetAdded.connect((_, panel) => void look(panel).catch(unknown));
    tracker.forEach(panel => void look(panel).catch(unknown));
  }
};
