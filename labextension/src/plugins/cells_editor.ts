import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IEditorExtensionRegistry, EditorExtensionRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import { highlighting } from '../editor/highlight';
import { Underlines } from '../editor/problems';
import { IFlyteCells } from '../tokens';

/** Colours in the lines of our magics, and what is wrong in them underlined. */
export const cellsEditor: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:cells-editor',
  description: 'Colours in the lines of magics, and what is wrong in them underlined.',
  autoStart: true,
  requires: [IEditorExtensionRegistry, INotebookTracker, IFlyteCells],
  activate: (
    _: JupyterFrontEnd,
    editors: IEditorExtensionRegistry,
    tracker: INotebookTracker,
    cells: IFlyteCells
  ): void => {
    const underlines = new Underlines();
    const problems = (cell: string) => (source: string) => {
      const panel = tracker.find(each => has(each, cell));
      return panel && cells.of(panel).problems(cell, source);
    };
    editors.addExtension({
      name: 'flyte-jupyter:magics',
      factory: ({ model }) => {
        const cell = 'type' in model && model.type === 'code' && 'id' in model ? model.id : null;
        return typeof cell === 'string'
          ? EditorExtensionRegistry.createImmutableExtension([
              highlighting(),
              underlines.of(cell, problems(cell))
            ])
          : null;
      }
    });
    const watch = (panel: NotebookPanel) =>
      cells.of(panel).changed.connect(() => {
        for (const cell of panel.content.model?.cells ?? []) {
          underlines.refresh(cell.id, problems(cell.id));
        }
      });
    tracker.widgetAdded.connect((_, panel) => void watch(panel));
    tracker.forEach(panel => void watch(panel));
  }
};

function has(panel: NotebookPanel, cell: string): boolean {
  return [...(panel.content.model?.cells ?? [])].some(each => each.id === cell);
}
