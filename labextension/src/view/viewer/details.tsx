import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { isOver } from '../../model/runs';
import { TABS, type TabName, type ViewerModel } from '../../model/viewer';
import { Log } from '../logs/log';
import { Tabs } from '../tabs';
import { phaseWord } from '../phase';
import { Code } from './code';
import { Configuration } from './configuration';
import { Events } from './events';
import { Phase } from './phase';
import { Report } from './report';
import { Resources } from './resources';
import { Values } from './values';

/** What all parts of the details need. */
export interface IDetails {
  model: ViewerModel;
  commands: CommandRegistry;
  editors: IEditorServices;
  now: number;
  trans: TranslationBundle;
}

/** The selected action: first of all why it waits or has failed, then its details in tabs. */
export function Details(props: IDetails): JSX.Element {
  const { model, trans } = props;
  const row = model.actions.get(model.rows.selected) ?? model.action?.row;
  const titles: Record<TabName, string> = {
    logs: trans.__('Logs'),
    values: trans.__('Inputs and outputs'),
    events: trans.__('Events'),
    resources: trans.__('Resources'),
    configuration: trans.__('Configuration'),
    report: trans.__('Report'),
    code: trans.__('Code')
  };
  const explanation = model.action?.explanation;
  const hasTraceback = model.action?.attempts.some(({ failure }) => failure?.traceback);
  return (
    <section className="flyte-Details" aria-label={trans.__('Selected action')}>
      {row && (
        <div className="flyte-Details-head">
          <Phase phase={row.phase} trans={trans} />
          <strong>{row.title}</strong>
          <code>{row.name}</code>
          {row.attempt > 0 && (
            <span className="flyte-Muted">{trans.__('attempt %1', row.attempt + 1)}</span>
          )}
        </div>
      )}
      {row && explanation && row.phase !== 'succeeded' && (
        <div
          className="flyte-Why"
          data-phase={row.phase}
          role="note"
          aria-label={trans.__('Why it is %1', phaseWord(row.phase, trans))}
        >
          <span aria-hidden={true}>{isOver(row.phase) ? '✗' : '…'}</span>
          <span className="flyte-Why-text" tabIndex={0}>
            {explanation}
          </span>
          {hasTraceback && model.tab !== 'events' && (
            <button className="flyte-Link" onClick={() => (model.tab = 'events')}>
              {trans.__('Traceback')}
            </button>
          )}
        </div>
      )}
      <Tabs
        label={trans.__('Details')}
        tabs={TABS.map(name => ({ name, title: titles[name] }))}
        chosen={model.tab}
        choose={tab => (model.tab = tab)}
      >
        <Shown {...props} />
      </Tabs>
    </section>
  );
}

function Shown(props: IDetails): JSX.Element | null {
  const { model, trans } = props;
  const { action, log } = model;
  if (model.tab === 'logs') {
    const attempts = 1 + (model.actions.get(log.action)?.attempt ?? action?.row.attempt ?? 0);
    const choose = (attempt: number) => (model.attempt = attempt);
    return (
      <Log log={log} url={model.logsUrl()} attempts={attempts} choose={choose} trans={trans} />
    );
  }
  if (!action || !model.detail) {
    return <div className="flyte-Empty">{trans.__('Loading …')}</div>;
  }
  const of = { ...props, action, detail: model.detail };
  switch (model.tab) {
    case 'values':
      return <Values {...of} />;
    case 'events':
      return <Events {...of} />;
    case 'resources':
      return <Resources {...of} />;
    case 'configuration':
      return <Configuration {...of} />;
    case 'report':
      return <Report {...of} />;
    case 'code':
      return <Code {...of} />;
  }
}
