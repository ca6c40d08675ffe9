import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ITranslator } from '@jupyterlab/translation';
import { stopIcon } from '@jupyterlab/ui-components';

import { CommandIDs } from '../commands';
import { DOMAIN, IFlyte } from '../tokens';
import { flyteIcon } from '../view/icons';
import { phaseWord } from '../view/phase';

/** Runs that have not ended, in the list of all that runs. */
export const running: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:running',
  description: 'Runs in the list of what runs, where shutting one down cancels it.',
  autoStart: true,
  requires: [IFlyte, ITranslator],
  optional: [IRunningSessionManagers], // Notebook 7 has it only beside its list of files
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    translator: ITranslator,
    managers: IRunningSessionManagers | null
  ) => {
    const { runs } = flyte;
    const trans = translator.load(DOMAIN);
    const cancel = (run: string) => void app.commands.execute(CommandIDs.cancel, { run });
    managers?.add({
      name: trans.__('Flyte Runs'),
      running: () =>
        runs.open().map(run => ({
          label: () => run.title,
          labelTitle: () => `${run.name}\n${run.notebook ?? run.site}`,
          detail: () => phaseWord(run.phase, trans),
          icon: () => flyteIcon,
          context: run.name,
          open: () => void app.commands.execute(CommandIDs.openRun, { run: run.name }),
          shutdown: () => cancel(run.name)
        })),
      refreshRunning: () => void runs.refresh(),
      runningChanged: runs.changed,
      shutdownAll: () => runs.open().forEach(run => cancel(run.name)),
      shutdownItemIcon: stopIcon,
      shutdownLabel: trans.__('Cancel'),
      shutdownAllLabel: trans.__('Cancel All'),
      shutdownAllConfirmationText: trans.__('Cancel all runs of yours that have not ended?')
    });
  }
};
