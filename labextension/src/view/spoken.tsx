import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Announcer, IAnnouncement } from '../model/announcer';
import { phaseWord } from './phase';

/** What screen readers read out: what runs have come to. */
export function Spoken(props: { announcer: Announcer; trans: TranslationBundle }): JSX.Element {
  const { announcer, trans } = props;
  const [text, say] = React.useState('');
  React.useEffect(() => {
    const take = (_: Announcer, all: readonly IAnnouncement[]) =>
      say(
        all
          .map(({ of, phase }) =>
            typeof of === 'number'
              ? trans.__('%1 runs: %2', of, phaseWord(phase, trans))
              : `${of}: ${phaseWord(phase, trans)}`
          )
          .join(', ')
      );
    announcer.said.connect(take);
    return () => void announcer.said.disconnect(take);
  }, [announcer, trans]);
  return (
    <div className="flyte-Spoken flyte-Hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}
