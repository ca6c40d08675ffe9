import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { DOMAIN, IFlyte } from '../tokens';
import { CountsModel, Status } from '../view/status';

/** How many runs run and wait, in the status bar; nothing while there are none. */
export const status: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:status',
  description: 'How many runs run and wait, in the status bar.',
  autoStart: true,
  requires: [IFlyte, ITranslator],
  optional: [IStatusBar], // Notebook 7 has none
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    translator: ITranslator,
    bar: IStatusBar | null
  ) => {
    if (!bar) {
      return;
    }
    const model = new CountsModel(flyte.runs);
    const show = () => void app.commands.execute(CommandIDs.showRuns);
    bar.registerStatusItem('flyte-jupyter:status', {
      item: new Status(model, translator.load(DOMAIN), show),
      align: 'left',
      rank: 3,
      isActive: () => model.counts.running + model.counts.waiting > 0,
      activeStateChanged: model.stateChanged
    });
  }
};
