import { Signal, type ISignal } from '@lumino/signaling';

/** What people set in Settings → Flyte; `schema/plugin.json` says what each means. */
export interface ISettings {
  profile: string;
  defaults: string;
  notifications: boolean;
  notifyAfter: number;
  density: 'compact' | 'comfortable';
  refresh: number;
}

/** As in `schema/plugin.json`; also what holds where there are no settings. */
export const DEFAULTS: ISettings = {
  profile: '',
  defaults: '',
  notifications: true,
  notifyAfter: 60,
  density: 'compact',
  refresh: 2
};

/** The settings as they are now. */
export class SettingsModel {
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
