import { VDomModel, VDomRenderer } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { countsOf, type ICounts } from '../model/counts';
import type { RunsModel } from '../model/runs';
import { flyteIcon } from './icons';

/** How many runs run and wait. */
export class CountsModel extends VDomModel {
  constructor(runs: RunsModel) {
    super();
    runs.changed.connect(() => {
      const found = countsOf(runs.open());
      if (found.running !== this.counts.running || found.waiting !== this.counts.waiting) {
        this.counts = found;
        this.stateChanged.emit();
      }
    });
  }

  counts: ICounts = { running: 0, waiting: 0 };
}

/** The same in the status bar; a click shows the runs. */
export class Status extends VDomRenderer<CountsModel> {
  constructor(
    model: CountsModel,
    private readonly trans: TranslationBundle,
    private readonly open: () => void
  ) {
    super(model);
    this.addClass('flyte-Status');
  }

  protected override render(): React.ReactElement {
    const { running, waiting } = this.model.counts;
    const words = [
      running ? this.trans.__('%1 running', running) : '',
      waiting ? this.trans.__('%1 queued', waiting) : ''
    ].filter(Boolean);
    return (
      <button
        type="button"
        className="flyte-Status-button"
        title={this.trans.__('Show Flyte runs')}
        onClick={this.open}
      >
        <flyteIcon.react tag="span" elementSize="small" />
        <span role="status">{words.join(' · ')}</span>
      </button>
    );
  }
}
