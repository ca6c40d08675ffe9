import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { PhaseName } from '../../api/generated';
import type { ViewerModel } from '../../model/viewer';
import { countsOf, isFiltering } from '../../model/viewer_tree';
import { PhaseIcon, phaseWord } from '../phase';
import { PHASES } from '../words';
import { Tree } from './tree';

/** The tree of actions below what it is filtered by. */
export function Actions(props: {
  model: ViewerModel;
  now: number;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const { rows } = model;
  const { filter } = rows;
  const counts = countsOf(model.actions.all());
  const there = PHASES.filter(phase => counts[phase] || filter.phases.has(phase));
  const turn = (phase: PhaseName) => {
    const phases = new Set(filter.phases);
    if (!phases.delete(phase)) {
      phases.add(phase);
    }
    rows.filter = { ...filter, phases };
  };
  return (
    <section className="flyte-Actions" aria-label={trans.__('Actions of the run')}>
      <div className="flyte-Bar">
        <input
          type="search"
          className="flyte-Input"
          placeholder={trans.__('Filter actions')}
          aria-label={trans.__('Filter actions by a text')}
          value={filter.text}
          onChange={event => (rows.filter = { ...filter, text: event.target.value })}
        />
        <span className="flyte-Bar-count" role="status">
          {isFiltering(filter)
            ? trans.__('%1 of %2', rows.found(), model.actions.all().length)
            : ''}
        </span>
      </div>
      <div className="flyte-Chips" role="group" aria-label={trans.__('Filter by phase')}>
        {there.map(phase => (
          <button
            key={phase}
            className="flyte-Chip"
            data-phase={phase}
            aria-pressed={filter.phases.has(phase)}
            onClick={() => turn(phase)}
          >
            <PhaseIcon phase={phase} /> {(counts[phase] ?? 0).toLocaleString()}{' '}
            {phaseWord(phase, trans)}
          </button>
        ))}
      </div>
      {model.actions.problem && <div className="flyte-Problem">{model.actions.problem}</div>}
      <Tree model={rows} now={props.now} trans={trans} />
    </section>
  );
}
