import type { ISignal } from '@lumino/signaling';

/** A kernel that runs now. */
export interface IKernelState {
  readonly id: string;
  /** As Jupyter says it: "idle", "busy", "starting", "dead", ... */
  readonly status: string;
}

/** The kernels of notebooks, as they are now. */
export interface IKernels {
  /** The kernel of a notebook, by its path within the server's root; else the one with that id, if it still runs. */
  of(notebook: string | null, id: string | null): IKernelState | undefined;
  readonly changed: ISignal<IKernels, void>;
}
