import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import { ITranslator, type TranslationBundle } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import type { ISettings } from '../model/settings';
import { DOMAIN, IFlyteSettings } from '../tokens';
import { flyteIcon } from '../view/icons';
import { chosenProfile } from './chosen_profile';
import { said, schema } from './said';

/** The choice among the profiles of the settings. */
export const profiles: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:profiles',
  description: 'Chooses the profile of new notebooks and of cells that are run as tasks.',
  autoStart: true,
  requires: [IFlyteSettings, ITranslator],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    settings: IFlyteSettings,
    translator: ITranslator,
    palette: ICommandPalette | null
  ) => {
    const trans = translator.load(DOMAIN);
    const command = CommandIDs.chooseProfile;
    app.commands.addCommand(command, {
      label: () =>
        settings.now.profile
          ? trans.__('Choose Profile (%1)…', settings.now.profile)
          : trans.__('Choose Profile…'),
      caption: trans.__('The place and size of new notebooks and of Run as Task'),
      icon: flyteIcon,
      describedBy: {
        args: schema({ name: { type: 'string', description: 'Of the profile; "" for none.' } })
      },
      execute: async args => {
        const { now } = settings;
        const name = typeof args.name === 'string' ? args.name : await ask(now, trans);
        await said(trans.__('The profile was not chosen.'), async () => {
          if (name !== undefined) {
            chosenProfile({ ...now, profile: name }, trans);
            await settings.set('profile', name);
          }
        });
      }
    });
    settings.changed.connect(() => app.commands.notifyCommandChanged(command));
    palette?.addItem({ command, category: trans.__('Flyte') });
  }
};

async function ask(settings: ISettings, trans: TranslationBundle): Promise<string | undefined> {
  const names = ['', ...settings.profiles.map(({ name }) => name)];
  const items = [trans.__('(none)'), ...names.slice(1)];
  const { button, value } = await InputDialog.getItem({
    title: trans.__('Choose Profile'),
    label: trans.__('Of new notebooks and of Run as Task'),
    items,
    current: Math.max(0, names.indexOf(settings.profile))
  });
  return button.accept ? names[items.indexOf(value ?? '')] : undefined;
}
