import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { cells } from './plugins/cells';
import { cellsEditor } from './plugins/cells_editor';
import { server } from './plugins/server';
import { viewer } from './plugins/viewer';

const plugins: JupyterFrontEndPlugin<unknown>[] = [server, cells, viewer, cellsEditor];

export default plugins;
