import type { INotebookTracker } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

import type { CellsModel, IDeclaredIn } from '../model/cells';
import type { IFlyteCells } from '../tokens';

/** The notebook that is looked at, and what its cells declare. */
export class OpenNotebook {
  constructor(
    private readonly notebooks: INotebookTracker,
    private readonly cells: IFlyteCells
  ) {
    notebooks.currentChanged.connect(this.follow, this);
    this.follow();
  }

  get changed(): ISignal<OpenNotebook, void> {
    return this.hasChanged;
  }

  /** Its path; null when none is open. */
  get path(): string | null {
    return this.notebooks.currentWidget?.context.path ?? null;
  }

  /** From the top of the notebook to its end. */
  get declared(): IDeclaredIn[] {
    return this.model?.declared() ?? [];
  }

  private follow(): void {
    this.model?.changed.disconnect(this.tell, this);
    const panel = this.notebooks.currentWidget;
    this.model = panel && this.cells.of(panel);
    this.model?.changed.connect(this.tell, this);
    this.tell();
  }

  private tell(): void {
    this.hasChanged.emit();
  }

  private model: CellsModel | null = null;
  private readonly hasChanged = new Signal<OpenNotebook, void>(this);
}
