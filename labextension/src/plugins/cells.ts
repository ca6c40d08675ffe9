import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import type { ICellSource } from '../api/generated';
import { CellsModel } from '../model/cells';
import { IFlyte, IFlyteCells } from '../tokens';

/** What the cells of open notebooks declare. */
export const cells: JupyterFrontEndPlugin<IFlyteCells> = {
  id: 'flyte-jupyter:cells',
  description: 'What the cells of open notebooks declare, and what is wrong in their magics.',
  autoStart: true,
  requires: [IFlyte],
  optional: [INotebookTracker],
  provides: IFlyteCells,
  activate: (_: JupyterFrontEnd, flyte: IFlyte, tracker: INotebookTracker | null): IFlyteCells => {
    const models = new WeakMap<NotebookPanel, CellsModel>();
    const of = (panel: NotebookPanel): CellsModel => {
      let model = models.get(panel);
      if (model === undefined) {
        model = new CellsModel(flyte.client, () => sources(panel));
        models.set(panel, model);
        watch(panel, model);
      }
      return model;
    };
    tracker?.widgetAdded.connect((_, panel) => void of(panel));
    tracker?.forEach(panel => void of(panel));
    return { of };
  }
};

/** The code cells of a notebook, as they stand in the editors. */
function sources(panel: NotebookPanel): ICellSource[] {
  return [...(panel.content.model?.cells ?? [])]
    .filter(cell => cell.type === 'code')
    .map(cell => ({ id: cell.id, source: cell.sharedModel.getSource() }));
}

/** Ask when a cell is changed, is new, is gone or was moved; nothing that a kernel does is such a change. */
function watch(panel: NotebookPanel, model: CellsModel): void {
  const onCell = (_: unknown, change: { sourceChange?: unknown }) => {
    if (change.sourceChange !== undefined) {
      model.touch();
    }
  };
  const onList = () => {
    for (const cell of panel.content.model?.cells ?? []) {
      cell.sharedModel.changed.disconnect(onCell);
      cell.sharedModel.changed.connect(onCell);
    }
    model.touch();
  };
  void panel.context.ready.then(() => {
    panel.content.model?.cells.changed.connect(onList);
    onList();
  });
  panel.disposed.connect(() => model.dispose());
}
