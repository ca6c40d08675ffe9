import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import { settingsIcon } from '@jupyterlab/ui-components';
import type { PartialJSONValue } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import { SettingsModel, type ISettings } from '../model/settings';
import { DOMAIN, IFlyteSettings } from '../tokens';
import { follow } from '../view/theme';

const ID = 'flyte-jupyter:plugin';

/** The settings of all of our plugins; its id is that of the schema. */
export const settings: JupyterFrontEndPlugin<IFlyteSettings> = {
  id: ID,
  description: 'The settings of flyte_jupyter.',
  autoStart: true,
  requires: [ITranslator],
  optional: [ISettingRegistry],
  provides: IFlyteSettings,
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    registry: ISettingRegistry | null
  ): IFlyteSettings => {
    const trans = translator.load(DOMAIN);
    const model = new SettingsModel(async (name, value) => {
      await registry?.set(ID, name, value as PartialJSONValue);
    });
    model.changed.connect(() => follow(model.now.theme === 'jupyterlab'));
    void registry?.load(ID).then(found => {
      const take = () => model.take(found.composite as unknown as ISettings);
      found.changed.connect(take);
      take();
    });
    app.commands.addCommand(CommandIDs.settings, {
      label: trans.__('Flyte Settings…'),
      caption: trans.__('Profiles, Run as Task, notifications, the sidebar, reports'),
      icon: settingsIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isVisible: () => app.commands.hasCommand('settingeditor:open'),
      execute: () => app.commands.execute('settingeditor:open', { query: 'Flyte' })
    });
    return model;
  }
};
