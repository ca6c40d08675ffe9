import { ReactWidget, Toolbar } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import * as React from 'react';

/** A section of the sidebar, which knows whether it is seen; its toolbar stands in its title. */
export class Section extends ReactWidget {
  readonly toolbar = new Toolbar();

  /** @param draw - what is in it; `isSeen` says whether anybody looks. */
  constructor(
    id: string,
    label: string,
    private readonly draw: (isSeen: boolean) => JSX.Element
  ) {
    super();
    this.id = id;
    this.title.label = label;
    this.addClass('flyte-Section');
  }

  /** Whether it is seen now. */
  get isSeen(): boolean {
    return this.seen;
  }

  get seenChanged(): ISignal<Section, boolean> {
    return this.hasChanged;
  }

  protected render(): JSX.Element {
    return <>{this.draw(this.seen)}</>;
  }

  protected override onAfterAttach(msg: Message): void {
    this.see(this.isVisible);
    super.onAfterAttach(msg);
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.see(true);
  }

  protected override onBeforeHide(msg: Message): void {
    this.see(false);
    super.onBeforeHide(msg);
  }

  private see(seen: boolean): void {
    if (this.seen !== seen) {
      this.seen = seen;
      this.hasChanged.emit(seen);
      this.update();
    }
  }

  private seen = false;
  private readonly hasChanged = new Signal<Section, boolean>(this);
}
