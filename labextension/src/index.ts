import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { cells } from './plugins/cells';
import { cellsBadge } from './plugins/cells_badge';
import { cellsComplete } from './plugins/cells_complete';
import { cellsEditor } from './plugins/cells_editor';
import { commands } from './plugins/commands';
import { goToCell } from './plugins/go_to_cell';
import { notebooks } from './plugins/notebooks';
import { notifications } from './plugins/notifications';
import { profiles } from './plugins/profiles';
import { prune } from './plugins/prune';
import { renderer } from './plugins/renderer';
import { cellsRun } from './plugins/cells_run';
import { running } from './plugins/running';
import { server } from './plugins/server';
import { settings } from './plugins/settings';
import { sidebar } from './plugins/sidebar';
import { status } from './plugins/status';
import { viewer } from './plugins/viewer';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  server,
  settings,
  commands,
  notebooks,
  profiles,
  prune,
  notifications,
  status,
  running,
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
