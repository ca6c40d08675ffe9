import {
  NotebookActions,
  type INotebookTracker,
  type Notebook,
  type NotebookPanel
} from '@jupyterlab/notebook';

/** Make the cell that a node is in the active one of its notebook. */
export function activate(notebooks: INotebookTracker, node: Node): void {
  const panel = notebooks.find(each => each.content.node.contains(node));
  const index = panel?.content.widgets.findIndex(cell => cell.node.contains(node)) ?? -1;
  if (panel && index >= 0) {
    panel.content.activeCellIndex = index;
    panel.content.deselectAll();
  }
}

/** Put code into a new cell below the active one, without running it. */
export function insertBelow(panel: NotebookPanel, code: string): void {
  const notebook = panel.content;
  NotebookActions.insertBelow(notebook);
  NotebookActions.changeCellType(notebook, 'code');
  notebook.activeCell?.model.sharedModel.setSource(code);
  void reveal(notebook, notebook.activeCellIndex);
}

/** Make a cell the active one, and bring it into view. */
export async function reveal(notebook: Notebook, index: number): Promise<void> {
  notebook.activeCellIndex = index;
  notebook.deselectAll();
  await notebook.scrollToItem(index, 'center');
  const cell = notebook.widgets[index];
  await cell.ready; // before 4.6, Lab does not scroll to what it has yet to draw
  cell.node.scrollIntoView({ block: 'center' });
}
