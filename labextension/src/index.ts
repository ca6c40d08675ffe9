import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { cells } from './plugins/cells';
import { cellsBadge } from './plugins/cells_badge';
import { cellsComplete } from './plugins/cells_complete';
import { cellsEditor } from './plugins/cells_editor';
import { commands } from './plugins/commands';
import { goToCell } from './plugins/go_to_cell';
import { renderer } from './plugins/renderer';
import { cellsRun } from './plugins/cells_run';
import { server } from './plugins/server';
import { sidebar } from './plugins/sidebar';
import { viewer } from './plugins/viewer';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  server,
  commands,
  goToCell,
  renderer,
  cells,
  viewer,
  cellsEditor,
  sidebar,
  cellsRun,
  cellsBadge,
  cellsComplete
];

export default plugins;
