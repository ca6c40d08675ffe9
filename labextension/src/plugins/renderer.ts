import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator } from '@jupyterlab/translation';

import { activate as select } from '../notebook/cells';
import { DOMAIN, IFlyte } from '../tokens';
import { MIME, RenderedCard } from '../view/card';

const RANK = 40; // before text/html, which has 50

/** Cards of runs, in outputs of any notebook: alive where the server knows the run. */
export const renderer: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:renderer',
  description: 'Cards of runs in outputs, which come alive from the server.',
  autoStart: true,
  requires: [IRenderMimeRegistry, IFlyte, ITranslator],
  optional: [INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    registry: IRenderMimeRegistry,
    flyte: IFlyte,
    translator: ITranslator,
    tracker: INotebookTracker | null
  ) => {
    const context = {
      flyte,
      commands: app.commands,
      trans: translator.load(DOMAIN),
      select: (node: Node) => tracker && select(tracker, node)
    };
    registry.addFactory(
      {
        safe: true,
        mimeTypes: [MIME],
        createRenderer: options => new RenderedCard(options.sanitizer, context)
      },
      RANK
    );
  }
};
