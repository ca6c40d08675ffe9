import type { TranslationBundle } from '@jupyterlab/translation';

import { profileOf, type IProfile } from '../model/profiles';
import type { ISettings } from '../model/settings';

/** The profile that counts; undefined for none. Throws when the settings name one that there is not. */
export function chosenProfile(settings: ISettings, trans: TranslationBundle): IProfile | undefined {
  const { profile, profiles } = settings;
  const found = profileOf(profiles, profile);
  if (profile && !found) {
    const names = profiles.map(({ name }) => name).join(', ') || trans.__('none');
    throw new Error(
      trans.__(
        'There is no profile "%1"; there are: %2. See Flyte → Choose Profile…, or the settings.',
        profile,
        names
      )
    );
  }
  return found;
}
