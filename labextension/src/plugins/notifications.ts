import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { Debouncer } from '@lumino/polling';

import type { IRunSummary } from '../api/generated';
import { CommandIDs } from '../commands';
import { Endings, isTold, took } from '../model/endings';
import { duration } from '../model/times';
import { DOMAIN, IFlyte, IFlyteSettings } from '../tokens';

const TOGETHER = 500; // ms in which ends are told together
const MOST = 3; // that have a notification each

/** Says when a run of an open notebook has ended that nobody looks at. */
export const notifications: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:notifications',
  description: 'Says when a run has ended whose notebook is not to be seen.',
  autoStart: true,
  requires: [IFlyte, IFlyteSettings, INotebookTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    flyte: IFlyte,
    settings: IFlyteSettings,
    notebooks: INotebookTracker,
    translator: ITranslator
  ) => {
    const { runs } = flyte;
    const trans = translator.load(DOMAIN);
    let endings: Endings | undefined;
    let ended: IRunSummary[] = [];

    const isSeen = (path: string | null): boolean | undefined => {
      const panel = notebooks.find(each => each.context.path === path);
      return panel && panel.isVisible && document.visibilityState === 'visible';
    };
    const tell = (run: IRunSummary) => {
      const open = { label: trans.__('Open Run'), command: CommandIDs.openRun };
      const go = { label: trans.__('Go to Cell'), command: CommandIDs.goToCell };
      const actions = [go, open]
        .filter(({ command }) => app.commands.hasCommand(command))
        .map(({ label, command }) => ({
          label,
          callback: () => void app.commands.execute(command, { run: run.name })
        }));
      const time = duration(took(run));
      if (run.phase === 'succeeded') {
        const message = trans.__('%1 succeeded in %2', run.title, time);
        Notification.success(message, { autoClose: 8000, actions });
      } else {
        const word = run.phase === 'timed_out' ? trans.__('timed out') : trans.__('failed');
        const message = trans.__('%1 %2 after %3', run.title, word, time);
        Notification.error(run.reason ? `${message}\n${run.reason}` : message, {
          autoClose: false,
          actions
        });
      }
    };
    const tellAll = new Debouncer(() => {
      const told = ended.filter(run => isTold(run, isSeen(run.notebook), settings.now));
      ended = [];
      if (told.length <= MOST) {
        told.forEach(tell);
        return;
      }
      const failed = told.filter(run => run.phase !== 'succeeded').length;
      const callback = () => void app.commands.execute(CommandIDs.showRuns);
      const options = {
        actions: app.commands.hasCommand(CommandIDs.showRuns)
          ? [{ label: trans.__('Show Runs'), callback }]
          : []
      };
      if (failed) {
        const message = trans.__('%1 runs have ended, %2 of them failed', told.length, failed);
        Notification.error(message, { autoClose: false, ...options });
      } else {
        const message = trans.__('%1 runs have succeeded', told.length);
        Notification.success(message, { autoClose: 8000, ...options });
      }
    }, TOGETHER);

    runs.changed.connect((_, { changed }) => {
      if (!endings) {
        endings = changed.length ? new Endings(changed) : undefined;
        return;
      }
      ended.push(...endings.take(changed));
      if (ended.length) {
        void tellAll.invoke();
      }
    });
  }
};
