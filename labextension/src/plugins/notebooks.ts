import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator } from '@jupyterlab/translation';
import { UUID, type PartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import { firstCells, type INewCell } from '../model/firstnotebook';
import { DOMAIN, IFlyteSettings } from '../tokens';
import { flyteIcon, flytePicture } from '../view/icons';
import { chosenProfile } from './chosen_profile';
import { said, schema, text } from './said';

/** Notebooks to begin with. */
export const notebooks: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:notebooks',
  description: 'A notebook with a first task, also in the launcher.',
  autoStart: true,
  requires: [IFlyteSettings, ITranslator],
  optional: [ILauncher, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    settings: IFlyteSettings,
    translator: ITranslator,
    launcher: ILauncher | null,
    palette: ICommandPalette | null
  ) => {
    const trans = translator.load(DOMAIN);
    const { commands, serviceManager } = app;
    const make = async (folder: string): Promise<string> => {
      const profile = chosenProfile(settings.now, trans);
      await serviceManager.kernelspecs.ready;
      const { contents, kernelspecs } = serviceManager;
      const made = await contents.newUntitled({ path: folder, type: 'notebook' });
      const name = kernelOf(
        kernelspecs.specs?.default,
        Object.entries(kernelspecs.specs?.kernelspecs ?? {})
      );
      const spec = kernelspecs.specs?.kernelspecs[name];
      const kernelspec = { name, display_name: spec?.display_name ?? name, language: 'python' };
      await contents.save(made.path, {
        type: 'notebook',
        format: 'json',
        content: {
          cells: firstCells(profile).map(cellOf),
          metadata: { kernelspec },
          nbformat: 4,
          nbformat_minor: 5
        }
      });
      return made.path;
    };
    commands.addCommand(CommandIDs.newNotebook, {
      label: args =>
        args.isLauncher ? trans.__('Flyte Notebook') : trans.__('New Flyte Notebook'),
      caption: trans.__('A notebook with a first task that runs'),
      icon: flyteIcon,
      describedBy: { args: schema({ cwd: { type: 'string', description: 'The folder.' } }) },
      execute: async args => {
        const path = await said(trans.__('The notebook could not be made.'), () =>
          make(text(args.cwd))
        );
        return path && commands.execute('docmanager:open', { path, factory: 'Notebook' });
      }
    });
    const command = CommandIDs.newNotebook;
    launcher?.add({
      command,
      args: { isLauncher: true },
      category: trans.__('Notebook'),
      rank: 10,
      kernelIconUrl: flytePicture // without it, beside kernels, the first letter stands for it
    });
    palette?.addItem({ command, category: trans.__('Flyte') });
  }
};

/** The kernel that people have by default, if it speaks Python. */
function kernelOf(
  usual: string | undefined,
  known: [string, { language: string } | undefined][]
): string {
  const python = known.filter(([, spec]) => spec?.language === 'python').map(([name]) => name);
  return python.find(name => name === usual) ?? python[0] ?? 'python3';
}

function cellOf({ type, source }: INewCell): PartialJSONObject {
  const made = { id: UUID.uuid4(), cell_type: type, metadata: {}, source };
  return type === 'code' ? { ...made, execution_count: null, outputs: [] } : made;
}
