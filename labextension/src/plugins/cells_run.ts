import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { optionsOf } from '../model/profiles';
import { plan, type Plan } from '../model/run_as_task';
import { DOMAIN, IFlyteCells, IFlyteSettings } from '../tokens';
import { flyteIcon } from '../view/icons';
import { chosenProfile } from './chosen_profile';
import { said } from './said';

const ARGS = {
  type: 'object',
  properties: {
    cell: {
      type: 'string',
      description: 'The id of a cell of the current notebook; the active one by default.'
    },
    task: {
      type: 'string',
      description: 'The variable of one of the tasks that the cell declares; the first by default.'
    }
  }
} as const;

const LOAD = '%load_ext flyte_jupyter';
const IS_LOADED = "'flyte_task' in get_ipython().magics_manager.magics['cell']";

/** The command that runs a cell as a task. */
export const cellsRun: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:cells-run',
  description: 'Runs a cell as a task.',
  autoStart: true,
  requires: [INotebookTracker, IFlyteCells, IFlyteSettings],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    cells: IFlyteCells,
    settings: IFlyteSettings,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { commands } = app;
    const cellOf = (panel: NotebookPanel | null, id: unknown): Cell | null =>
      id === undefined
        ? (panel?.content.activeCell ?? null)
        : (panel?.content.widgets.find(cell => cell.model.id === id) ?? null);

    commands.addCommand(CommandIDs.runAsTask, {
      label: trans.__('Run as Task'),
      caption: trans.__('Run this cell as a task, in a process of its own'),
      icon: flyteIcon,
      describedBy: { args: ARGS },
      isVisible: given => cellOf(tracker.currentWidget, given['cell'])?.model.type === 'code',
      isEnabled: given => cellOf(tracker.currentWidget, given['cell'])?.model.type === 'code',
      execute: async given => {
        const panel = tracker.currentWidget;
        const cell = cellOf(panel, given['cell']);
        if (!panel || !cell) {
          return;
        }
        const model = cells.of(panel);
        await model.refresh(); // what it declares now
        const source = cell.model.sharedModel.getSource();
        const task = given['task'] === undefined ? undefined : String(given['task']);
        const options = () =>
          [settings.now.defaults.trim(), optionsOf(chosenProfile(settings.now, trans))]
            .filter(Boolean)
            .join(' '); // what stands last counts
        const made = await said(trans.__('The cell was not run as a task.'), async () =>
          plan(source, model.of(cell.model.id), options, task)
        );
        if (!made) {
          return;
        }
        if (made.kind === 'refused') {
          Notification.warning(refusal(made, trans), { autoClose: 5000 });
          return;
        }
        const runs = [...(await loading(panel)), ...changed(panel, cell, made)];
        await NotebookActions.runCells(panel.content, runs, panel.sessionContext);
      }
    });
    palette?.addItem({ command: CommandIDs.runAsTask, category: trans.__('Flyte') });
    tracker.activeCellChanged.connect(() => commands.notifyCommandChanged(CommandIDs.runAsTask));
  }
};

/** The cells that are to be run, the given one changed or another one below it. */
function changed(panel: NotebookPanel, cell: Cell, made: Plan): Cell[] {
  const notebook = panel.content;
  const shared = notebook.model?.sharedModel;
  if (made.kind === 'wrap') {
    cell.model.sharedModel.setSource(made.source);
  }
  if (made.kind !== 'call' || !shared) {
    return [cell];
  }
  const below = notebook.widgets.indexOf(cell) + 1;
  if (notebook.widgets[below]?.model.sharedModel.getSource() !== made.code) {
    shared.insertCell(below, { cell_type: 'code', source: made.code, metadata: {} });
  }
  return [cell, notebook.widgets[below]];
}

/** The cell that loads our magics, made if there is none; nothing when the kernel has them. */
async function loading(panel: NotebookPanel): Promise<Cell[]> {
  const { sessionContext, content } = panel;
  await sessionContext.ready;
  const kernel = sessionContext.session?.kernel;
  const answer = await kernel?.requestExecute({
    code: '',
    silent: true,
    user_expressions: { flyte: IS_LOADED }
  }).done;
  const said = answer?.content.status === 'ok' ? answer.content.user_expressions?.['flyte'] : null;
  if (JSON.stringify(said ?? '').includes('True')) {
    return [];
  }
  const there = content.widgets.find(cell =>
    /^\s*%(?:re)?load_ext\s+flyte_jupyter\b/m.test(cell.model.sharedModel.getSource())
  );
  if (there) {
    return [there];
  }
  const made = { cell_type: 'code', source: LOAD, metadata: {} };
  content.model?.sharedModel.insertCell(0, made);
  return content.widgets.slice(0, 1);
}

function refusal(made: Plan & { kind: 'refused' }, trans: TranslationBundle): string {
  switch (made.why) {
    case 'empty':
      return trans.__('The cell is empty: there is nothing to run as a task.');
    case 'no-task':
      return trans.__('The cell declares no task of that name.');
    case 'magic':
      return trans.__('A task is Python: this cell begins with %1.', made.magic);
  }
}
