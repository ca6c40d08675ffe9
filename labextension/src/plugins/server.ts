import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { Client } from '../api/client';
import { Stream } from '../api/stream';
import { RunsModel } from '../model/runs';
import { IFlyte } from '../tokens';

const PATH = 'flyte-jupyter';

/** The way to our server extension; every address is below that of Jupyter's server. */
export const server: JupyterFrontEndPlugin<IFlyte> = {
  id: 'flyte-jupyter:server',
  description: 'The server of flyte_jupyter, and the runs that it knows.',
  autoStart: true,
  provides: IFlyte,
  activate: (app: JupyterFrontEnd): IFlyte => {
    const settings = app.serviceManager.serverSettings;
    const url = (path: string) => URLExt.join(settings.baseUrl, PATH, path);
    const client = new Client(
      // not "no-store", for which Lab puts a time into the address
      (path, init) =>
        ServerConnection.makeRequest(url(path), { ...init, cache: 'reload' }, settings),
      url
    );
    const stream = new Stream(() => {
      const address = URLExt.join(settings.wsUrl, PATH, 'stream');
      const token = settings.appendToken && settings.token ? `?token=${settings.token}` : '';
      return new settings.WebSocket(address + token);
    });
    return { client, stream, runs: new RunsModel(client, stream) };
  }
};
