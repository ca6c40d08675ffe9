import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import { reveal } from '../notebook/cells';
import * as notebook7 from '../notebook7';
import { DOMAIN, IFlyte } from '../tokens';
import { locateIcon } from '../view/icons';
import { said } from './said';

/** The cell that has started a run, or one of an open notebook, in its notebook. */
export const goToCell: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:go-to-cell',
  description: 'Shows the cell that has started a run.',
  autoStart: true,
  requires: [IFlyte, INotebookTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    notebooks: INotebookTracker,
    translator: ITranslator
  ) => {
    const trans = translator.load(DOMAIN);
    app.commands.addCommand(CommandIDs.goToCell, {
      label: trans.__('Go to Cell'),
      caption: trans.__('Show the cell in its notebook'),
      icon: locateIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            run: { type: 'string', description: 'The name of a run; its cell is shown' },
            notebook: { type: 'string', description: 'The path of a notebook' },
            cell: { type: 'string', description: 'The id of a cell in it' }
          }
        }
      },
      isEnabled: args => {
        const { notebook } = placeOf(args, flyte);
        return notebook === undefined || isServed(notebook);
      },
      execute: async args => {
        let { notebook, cell } = placeOf(args, flyte);
        if (notebook === undefined && typeof args.run === 'string') {
          ({ notebook, cell } = (await flyte.client.run(args.run)).summary);
        }
        if (!isServed(notebook)) {
          Notification.warning(
            trans.__('The run was not started in a notebook that can be opened here.'),
            { autoClose: 5000 } // without it, it stays behind the bell
          );
          return;
        }
        let panel: unknown = notebooks.find(each => each.context.path === notebook);
        if (!panel && notebook7.isHere()) {
          notebook7.openCellPage(app, notebook, cell);
          return;
        }
        panel ??= await said(trans.__('%1 could not be opened.', notebook), () =>
          app.commands.execute('docmanager:open', { path: notebook })
        );
        if (panel instanceof NotebookPanel) {
          await show(panel, cell);
        }
      }
    });
    const show = async (panel: NotebookPanel, cell: string | null | undefined) => {
      app.shell.activateById(panel.id);
      await panel.revealed;
      const index = panel.content.widgets.findIndex(each => each.model.id === cell);
      if (index >= 0) {
        await reveal(panel.content, index);
      } else {
        const message = trans.__('That cell is no longer in %1.', panel.context.path);
        Notification.warning(message, { autoClose: 5000 });
      }
    };
    if (notebook7.isDocumentPage()) {
      notebook7.nameWindow();
      const follow = () => {
        const cell = notebook7.addressedCell();
        notebooks.forEach(panel => void (cell && show(panel, cell)));
      };
      window.addEventListener('hashchange', follow);
      notebooks.widgetAdded.connect(follow);
    }
  }
};

interface IPlace {
  notebook?: string | null;
  cell?: string | null;
}

/** What was given, or what is known of the run; empty when only the server knows. */
function placeOf(args: ReadonlyPartialJSONObject, flyte: IFlyte): IPlace {
  if (typeof args.notebook === 'string') {
    return { notebook: args.notebook, cell: typeof args.cell === 'string' ? args.cell : null };
  }
  return (typeof args.run === 'string' ? flyte.runs.get(args.run) : undefined) ?? {};
}

/** Whether the server has it: others have absolute paths. */
function isServed(notebook: string | null | undefined): notebook is string {
  return typeof notebook === 'string' && !notebook.startsWith('/');
}
