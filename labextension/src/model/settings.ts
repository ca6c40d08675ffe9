import { Signal, type ISignal } from '@lumino/signaling';

import type { IProfile } from './profiles';

/** What people set in Settings → Flyte; `schema/plugin.json` says what each means. */
export interface ISettings {
  profile: string;
  defaults: string;
  notifications: boolean;
  notifyAfter: number;
  density: 'compact' | 'comfortable';
  theme: 'light' | 'jupyterlab';
  refresh: number;
  profiles: readonly IProfile[];
}

/** As in `schema/plugin.json`; also what holds where there are no settings. */
export const DEFAULTS: ISettings = {
  profile: '',
  defaults: '',
  notifications: true,
  notifyAfter: 60,
  density: 'compact',
  theme: 'light',
  refresh: 2,
  profiles: [
    { name: 'local', mode: 'local' },
    { name: 'remote', mode: 'remote' }
  ]
};

/** The settings as they are now. */
export class SettingsModel {
  /**
   * @param set - writes one down, after which it is taken.
   */
  constructor(
    readonly set: <Name extends keyof ISettings>(
      name: Name,
      value: ISettings[Name]
    ) => Promise<void>
  ) {}

  get now(): ISettings {
    return this.held;
  }

  get changed(): ISignal<SettingsModel, ISettings> {
    return this.hasChanged;
  }

  take(given: Partial<ISettings>): void {
    this.held = { ...DEFAULTS, ...given };
    this.hasChanged.emit(this.held);
  }

  private readonly hasChanged = new Signal<SettingsModel, ISettings>(this);
  private held = DEFAULTS;
}
