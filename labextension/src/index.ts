import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { cells } from './plugins/cells';
import { server } from './plugins/server';

const plugins: JupyterFrontEndPlugin<unknown>[] = [server, cells];

export default plugins;
