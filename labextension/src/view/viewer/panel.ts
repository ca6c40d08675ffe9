import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { BoxPanel } from '@lumino/widgets';
import * as React from 'react';

import type { ViewerModel } from '../../model/viewer';
import { isOver } from '../../model/runs';
import { Timeline } from '../timeline/timeline';
import { Details } from './details';
import { Header } from './header';
import { Actions } from './actions';
import { Split } from './split';

/** What a viewer is made with. */
export interface IViewerOptions {
  model: ViewerModel;
  commands: CommandRegistry;
  editors: IEditorServices;
  trans: TranslationBundle;
}

/** A run in the main area: what it is, when its actions ran, which there are, and the selected one in detail. */
export class RunViewer extends BoxPanel {
  constructor(options: IViewerOptions) {
    super({ direction: 'top-to-bottom', spacing: 0 });
    this.addClass('flyte-Viewer');
    const { model } = options;
    this.model = model;
    const about = { ...options, now: Date.now() / 1000 };
    const draw = (view: (props: typeof about) => JSX.Element, ...signals: Told[]) => {
      const props = () => ({ ...about, now: Date.now() / 1000 });
      const pane = new Pane(() => React.createElement(view, props()), signals);
      this.panes.push(pane);
      return pane;
    };
    const { changed } = model;
    const header = draw(Header, changed, model.actions.changed);
    const actions = draw(Actions, model.actions.changed, model.rows.changed);
    const details = draw(Details, changed, model.actions.changed);
    const { trans } = options;
    const below = new Split('horizontal', trans.__('Width of the actions'), actions, details);
    below.share = 1 / 3;
    header.addClass('flyte-Viewer-header');
    BoxPanel.setStretch(header, 0);
    const timeline = draw(Timeline, changed, model.actions.changed, model.rows.changed);
    this.body = new Split('vertical', trans.__('Height of the timeline'), timeline, below);
    this.body.share = 1 / 5;
    this.addWidget(header);
    this.addWidget(this.body);
    model.actions.changed.connect(this.allot, this);
    changed.connect(this.empty, this);
    this.timer = window.setInterval(() => this.tick(), 1000);
  }

  readonly model: ViewerModel;

  override dispose(): void {
    if (!this.isDisposed) {
      window.clearInterval(this.timer);
      super.dispose();
      this.model.dispose();
    }
  }

  /** Of a run that nobody knows there is only the reason. */
  private empty(): void {
    this.body.setHidden(!this.model.summary && this.model.problem !== '');
  }

  /** Give the timeline of a run as much room as it needs, once that is known. */
  private allot(): void {
    const { isOver: isEnded } = this.model.actions;
    const count = this.model.actions.all().length;
    if (this.fitted < 2 && count > 0) {
      this.fitted = count > 1 || isEnded ? 2 : 1;
      this.body.share = count > 1 ? 1 / 5 : 1 / 12;
    }
  }

  /** Time goes on while something runs. */
  private tick(): void {
    if (this.isVisible && this.model.phase && !isOver(this.model.phase)) {
      this.panes.forEach(pane => pane.look());
    }
  }

  private readonly body: Split;
  private readonly panes: Pane[] = [];
  private fitted = 0;
  private readonly timer: number;
}

type Told = ISignal<unknown, unknown>;

/** A part of it, drawn anew when one of its signals is told, and not while nobody sees it. */
class Pane extends ReactWidget {
  constructor(
    private readonly draw: () => JSX.Element,
    signals: Told[]
  ) {
    super();
    this.addClass('flyte-Pane');
    signals.forEach(signal => signal.connect(this.look, this));
  }

  look(): void {
    if (this.isVisible) {
      this.update();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected render(): JSX.Element {
    return this.draw();
  }
}
