import * as React from 'react';

import type { IReport } from '../../api/generated';
import { isOver } from '../../model/runs';
import { Tabs } from '../tabs';
import { Frame } from './frame';
import type { IKnown } from './values';

/** What the task has logged as its report; read again while it runs. */
export function Report({ model, action, trans }: IKnown): JSX.Element {
  const [report, set] = React.useState<IReport | null>(null);
  const [problem, refuse] = React.useState('');
  const [chosen, choose] = React.useState('0');
  const { attempt } = model;
  const known = action.attempts.find(one => one.number === attempt);
  const hasReport = known?.report ?? false;
  const live = isOver(action.row.phase) ? null : action; // another one at each look
  React.useEffect(() => {
    let isCurrent = true;
    if (hasReport) {
      model.report().then(
        found => {
          if (isCurrent) {
            set(before => (JSON.stringify(before) === JSON.stringify(found) ? before : found));
            refuse('');
          }
        },
        (error: Error) => isCurrent && refuse(error.message)
      );
    }
    return () => {
      isCurrent = false;
    };
  }, [model, hasReport, attempt, live, action.row.name, action.row.phase]);
  if (problem) {
    return <div className="flyte-Problem">{problem}</div>;
  }
  if (!hasReport || !report || report.attempt !== attempt) {
    const said = hasReport ? trans.__('Loading …') : trans.__('This attempt has no report.');
    return <div className="flyte-Empty">{said}</div>;
  }
  const tabs = report.tabs.map(({ title }, index) => ({ name: String(index), title }));
  const shown = report.tabs[Number(chosen)] ?? report.tabs[0];
  const title = trans.__('Report of %1: %2', action.row.title, shown?.title ?? '');
  const frame = shown && <Frame key={chosen} title={title} document={shown.document} hasScripts />;
  return tabs.length < 2 ? (
    <div className="flyte-Tabs-panel">{frame}</div>
  ) : (
    <Tabs label={trans.__('Report')} tabs={tabs} chosen={chosen} choose={choose}>
      {frame}
    </Tabs>
  );
}
