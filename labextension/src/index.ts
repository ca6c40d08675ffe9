import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { server } from './plugins/server';

const plugins: JupyterFrontEndPlugin<unknown>[] = [server];

export default plugins;
