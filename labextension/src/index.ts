import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { cells } from './plugins/cells';
import { server } from './plugins/server';
import { viewer } from './plugins/viewer';

const plugins: JupyterFrontEndPlugin<unknown>[] = [server, cells, viewer];

export default plugins;
