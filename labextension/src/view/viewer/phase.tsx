import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { PhaseName } from '../../api/generated';
import { PhaseIcon, phaseWord } from '../phase';

/** Icon and word, or with `isSmall` the icon alone, which then is named: never colour alone. */
export function Phase(props: {
  phase: PhaseName;
  trans: TranslationBundle;
  isSmall?: boolean;
}): JSX.Element {
  const said = phaseWord(props.phase, props.trans);
  return (
    <span className="flyte-PhaseWord" data-phase={props.phase} title={said}>
      <PhaseIcon phase={props.phase} />
      <span className={props.isSmall ? 'flyte-Hidden' : undefined}>{said}</span>
    </span>
  );
}
