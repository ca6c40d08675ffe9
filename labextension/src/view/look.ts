import { Signal, type ISignal } from '@lumino/signaling';

/** How rows look, as the settings say. */
export class Look {
  /** Whether runs have two lines instead of one. */
  get isRoomy(): boolean {
    return this.roomy;
  }

  set isRoomy(isRoomy: boolean) {
    if (isRoomy !== this.roomy) {
      this.roomy = isRoomy;
      this.hasChanged.emit();
    }
  }

  get changed(): ISignal<Look, void> {
    return this.hasChanged;
  }

  private roomy = false;
  private readonly hasChanged = new Signal<Look, void>(this);
}
