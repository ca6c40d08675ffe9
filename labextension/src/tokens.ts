import type { NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { Client } from './api/client';
import type { Stream } from './api/stream';
import type { CellsModel } from './model/cells';
import type { RunsModel } from './model/runs';
import type { ISettings } from './model/settings';

/** The domain of our strings. */
export const DOMAIN = 'flyte_jupyter';

/** What all of our plugins share: the way to the server, and the runs that it knows. */
export interface IFlyte {
  readonly client: Client;
  readonly stream: Stream;
  readonly runs: RunsModel;
}

export const IFlyte = new Token<IFlyte>(
  'flyte-jupyter:IFlyte',
  'The server of flyte_jupyter, and the runs that it knows.'
);

/** What the cells of open notebooks declare. */
export interface IFlyteCells {
  /** Of one of them; it is disposed with the notebook. */
  of(panel: NotebookPanel): CellsModel;
}

export const IFlyteCells = new Token<IFlyteCells>(
  'flyte-jupyter:IFlyteCells',
  'What the cells of open notebooks declare, and what is wrong in their magics.'
);

/** What people have set for all of our plugins. */
export interface IFlyteSettings {
  readonly now: ISettings;
  readonly changed: ISignal<IFlyteSettings, ISettings>;
  /** Write one down, as the editor of settings does. */
  set<Name extends keyof ISettings>(name: Name, value: ISettings[Name]): Promise<void>;
}

export const IFlyteSettings = new Token<IFlyteSettings>(
  'flyte-jupyter:IFlyteSettings',
  'The settings of flyte_jupyter.'
);
