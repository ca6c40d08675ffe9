import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Session } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IKernels, IKernelState } from '../model/kernels';

/** The kernels that the server runs; of notebooks that are open here it is known at once what they do. */
export class Kernels implements IKernels {
  constructor(
    private readonly sessions: Session.IManager,
    private readonly notebooks: INotebookTracker | null
  ) {
    sessions.runningChanged.connect(this.tell, this);
    notebooks?.widgetAdded.connect((_, panel) => this.follow(panel));
    notebooks?.forEach(panel => this.follow(panel));
  }

  get changed(): ISignal<IKernels, void> {
    return this.hasChanged;
  }

  of(notebook: string | null, id: string | null): IKernelState | undefined {
    const kernel = this.notebooks?.find(each => each.context.path === notebook)?.sessionContext
      .session?.kernel;
    if (kernel) {
      return { id: kernel.id, status: kernel.status };
    }
    const sessions = [...this.sessions.running()];
    const found =
      sessions.find(({ path, kernel: running }) => running && path === notebook) ??
      sessions.find(({ kernel: running }) => running && running.id === id);
    const running = found?.kernel;
    return running ? { id: running.id, status: running.execution_state ?? 'unknown' } : undefined;
  }

  private follow(panel: NotebookPanel): void {
    panel.sessionContext.statusChanged.connect(this.tell, this);
    panel.sessionContext.kernelChanged.connect(this.tell, this);
  }

  private tell(): void {
    this.hasChanged.emit();
  }

  private readonly hasChanged = new Signal<IKernels, void>(this);
}
