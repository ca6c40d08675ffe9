import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { PathExt } from '@jupyterlab/coreutils';
import * as React from 'react';

import type { IRunSummary, PhaseName } from '../api/generated';
import { isOver } from '../model/runs';
import { age, duration, ticking } from '../model/times';
import { Now } from './clock';
import { PhaseIcon, phaseWord } from './phase';

/** Phases of a map's actions, in the order in which its bar has them. */
const BAR: readonly PhaseName[] = [
  'succeeded',
  'running',
  'initializing',
  'failed',
  'timed_out',
  'aborted'
];

/** What the row of a run shows: on one line, or on two. */
export function RunBody(props: {
  run: IRunSummary;
  isRoomy: boolean;
  trans: TranslationBundle;
}): JSX.Element {
  const { run, isRoomy, trans } = props;
  return (
    <>
      <span className="flyte-Row-line">
        <PhaseIcon phase={run.phase} />
        <span className="flyte-Row-name">{run.title}</span>
        <Parts actions={run.actions} />
        <Took run={run} />
        <Age run={run} trans={trans} />
      </span>
      {isRoomy && (
        <span className="flyte-Row-more flyte-mod-indented">
          {run.warning || run.reason || run.task}
        </span>
      )}
    </>
  );
}

/** How far the actions are that a run has called. */
function Parts({ actions }: { actions: Record<string, number> }): JSX.Element | null {
  const total = Object.values(actions).reduce((sum, number) => sum + number, 0);
  if (total < 2) {
    return null;
  }
  const found = BAR.filter(phase => actions[phase]);
  return (
    <span className="flyte-Parts" aria-hidden="true">
      {found.map(phase => (
        <span key={phase} data-phase={phase} style={{ flexGrow: actions[phase] / total }} />
      ))}
      <span
        style={{ flexGrow: 1 - found.reduce((sum, phase) => sum + actions[phase], 0) / total }}
      />
    </span>
  );
}

function Took({ run }: { run: IRunSummary }): JSX.Element {
  const now = React.useContext(Now);
  return <span className="flyte-Run-took">{took(run, now)}</span>;
}

function Age({ run, trans }: { run: IRunSummary; trans: TranslationBundle }): JSX.Element {
  const since = age(React.useContext(Now) - run.created);
  return <span className="flyte-Run-age">{since === 'now' ? trans.__('now') : since}</span>;
}

/** How long a run took since it was asked for, or takes until now; as its card says. */
export function took(run: IRunSummary, now: number): string {
  if (isOver(run.phase)) {
    return run.ended === null ? '' : duration(run.ended - run.created);
  }
  return ticking(now - run.created);
}

/** All that the row of a run shows, in words. */
export function runLabel(run: IRunSummary, trans: TranslationBundle): string {
  const now = Date.now() / 1000;
  const parts = [run.title, phaseWord(run.phase, trans)];
  if (run.is_cached) {
    parts.push(trans.__('from the cache'));
  }
  const time = took(run, now);
  if (time) {
    parts.push(time);
  }
  const total = Object.values(run.actions).reduce((sum, number) => sum + number, 0);
  if (total > 1) {
    parts.push(trans.__('%1 of %2 actions done', run.actions.succeeded ?? 0, total));
  }
  const since = age(now - run.created);
  parts.push(since === 'now' ? trans.__('just now') : trans.__('%1 ago', since));
  return parts.join(', ');
}

/**
 * What one reads of a run that is pointed at.
 *
 * @param isAlone - whether the kernel that has started it is no more.
 */
export function runTitle(run: IRunSummary, isAlone: boolean, trans: TranslationBundle): string {
  const lines = [
    `${run.title} · ${phaseWord(run.phase, trans)}`,
    run.warning || run.reason,
    trans.__('Task: %1', run.task),
    trans.__('Run: %1', run.name),
    trans.__('Started: %1', new Date(run.created * 1000).toLocaleString())
  ];
  if (run.mode === 'remote') {
    lines.push(trans.__('Runs in: %1', run.site));
  }
  if (run.trigger) {
    lines.push(trans.__('Fired by: %1', run.trigger));
  }
  if (isAlone) {
    lines.push(trans.__('The kernel that started it has ended.'));
  }
  return lines.filter(Boolean).join('\n');
}

/** What the row of a notebook shows. */
export function NotebookBody(props: {
  notebook: string | null;
  isOpen: boolean;
  count: number;
  kernel: React.ReactNode;
  trans: TranslationBundle;
}): JSX.Element {
  const { notebook, isOpen, count, kernel, trans } = props;
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  return (
    <span className="flyte-Row-line">
      <Caret.react tag="span" className="flyte-Row-caret" aria-hidden="true" />
      <span className="flyte-Row-name">{notebookName(notebook, trans)}</span>
      {kernel}
      <span className="flyte-Row-side">{count}</span>
    </span>
  );
}

export function notebookName(notebook: string | null, trans: TranslationBundle): string {
  return notebook === null ? trans.__('No notebook') : PathExt.basename(notebook);
}
