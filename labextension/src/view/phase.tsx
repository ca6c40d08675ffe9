import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { PhaseName } from '../api/generated';

/** Each phase has a shape of its own: colour is never all that tells them apart. In a box of 16. */
const SHAPES: Record<PhaseName, JSX.Element> = {
  queued: <circle cx="8" cy="8" r="5.25" fill="none" strokeWidth="1.5" />,
  waiting_for_resources: (
    <circle cx="8" cy="8" r="5.25" fill="none" strokeWidth="1.5" strokeDasharray="2.2 1.93" />
  ),
  initializing: (
    <>
      <circle cx="8" cy="8" r="5.25" fill="none" strokeWidth="1.5" />
      <path d="M8 2.75a5.25 5.25 0 0 1 0 10.5z" stroke="none" />
    </>
  ),
  running: <path d="M4.5 2.9v10.2L13 8z" strokeLinejoin="round" strokeWidth="1" />,
  succeeded: <path d="m2.75 8.5 3.5 3.75 7-8.25" fill="none" strokeWidth="2" />,
  failed: <path d="m3.5 3.5 9 9m0-9-9 9" fill="none" strokeWidth="2" />,
  aborted: <rect x="3.5" y="3.5" width="9" height="9" rx="1" stroke="none" />,
  timed_out: (
    <>
      <circle cx="8" cy="8" r="5.25" fill="none" strokeWidth="1.5" />
      <path d="M8 4.75V8l2.25 2" fill="none" strokeWidth="1.5" />
    </>
  )
};

/** The shape of a phase in its colour; the word has to stand beside it, or in a label. */
export function PhaseIcon({ phase }: { phase: PhaseName }): JSX.Element {
  return (
    <svg className="flyte-Phase" data-phase={phase} viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[phase]}
    </svg>
  );
}

/** The phase as people read it. */
export function phaseWord(phase: PhaseName, trans: TranslationBundle): string {
  switch (phase) {
    case 'queued':
      return trans.__('queued');
    case 'waiting_for_resources':
      return trans.__('waiting for resources');
    case 'initializing':
      return trans.__('starting');
    case 'running':
      return trans.__('running');
    case 'succeeded':
      return trans.__('succeeded');
    case 'failed':
      return trans.__('failed');
    case 'aborted':
      return trans.__('aborted');
    case 'timed_out':
      return trans.__('timed out');
  }
}
