import type { CommandRegistry } from '@lumino/commands';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { CommandIDs } from '../../commands';
import { isOver } from '../../model/runs';
import type { ViewerModel } from '../../model/viewer';
import { ROOT_KEY } from '../../model/viewer_tree';
import { duration } from '../../model/times';
import { phaseWord } from '../phase';
import { clock } from '../words';
import { Phase } from './phase';

/** What the run is, where it stands and where it comes from. */
export function Header(props: {
  model: ViewerModel;
  commands: CommandRegistry;
  now: number;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, commands, trans } = props;
  const { detail, phase, summary } = model;
  if (!summary || !phase) {
    return (
      <div className="flyte-Header" role="status">
        {model.problem || trans.__('Loading %1 …', model.run)}
      </div>
    );
  }
  const begin = summary.created;
  const history = model.actions.get(ROOT_KEY)?.history ?? [];
  const last = history[history.length - 1]?.at;
  const end = isOver(phase) ? (summary.ended ?? last ?? begin) : props.now;
  const cell = { run: summary.name, notebook: summary.notebook, cell: summary.cell };
  return (
    <div className="flyte-Header">
      <span role="status" aria-live="polite">
        <Phase phase={phase} trans={trans} />
      </span>
      <h2 title={summary.task}>{summary.title}</h2>
      {summary.warning && <span className="flyte-Header-warning">⚠︎ {summary.warning}</span>}
      <span className="flyte-Header-time" title={trans.__('Began %1', clock(begin))}>
        {summary.is_cached ? trans.__('cached') : duration(Math.max(0, end - begin))}
      </span>
      <code>{summary.name}</code>
      <span className="flyte-Muted">{clock(begin)}</span>
      {summary.notebook &&
        (commands.hasCommand(CommandIDs.goToCell) ? (
          <button
            className="flyte-Link"
            onClick={() => void commands.execute(CommandIDs.goToCell, cell)}
          >
            {summary.notebook}
          </button>
        ) : (
          <span className="flyte-Muted">{summary.notebook}</span>
        ))}
      {summary.site !== 'this machine' && <span className="flyte-Muted">{summary.site}</span>}
      {!isOver(phase) && phase !== 'running' && summary.reason && (
        <span className="flyte-Muted">{summary.reason}</span>
      )}
      {detail?.notes.map(note => (
        <span key={note} className="flyte-Muted">
          {note}
        </span>
      ))}
      {model.problem && (
        <span className="flyte-Problem" role="alert">
          {model.problem}
        </span>
      )}
      <span className="flyte-Hidden" role="status">
        {trans.__('%1 is %2', summary.title, phaseWord(phase, trans))}
      </span>
    </div>
  );
}
