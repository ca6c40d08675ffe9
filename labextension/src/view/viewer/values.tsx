import * as React from 'react';

import type { IActionDetail, IPreview, IRunDetail } from '../../api/generated';
import type { IDetails } from './details';
import { Frame } from './frame';

/** Details of an action that is known. */
export interface IKnown extends IDetails {
  action: IActionDetail;
  detail: IRunDetail;
}

/** What the action was given, and what it gave. */
export function Values({ action, trans }: IKnown): JSX.Element {
  const inputs = Object.entries(action.inputs);
  return (
    <div className="flyte-Page">
      <h3>{trans.__('Inputs')}</h3>
      {inputs.length ? (
        <dl className="flyte-Values">
          {inputs.map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </React.Fragment>
          ))}
        </dl>
      ) : (
        <p className="flyte-Muted">{trans.__('None are known.')}</p>
      )}
      <h3>{trans.__('Output')}</h3>
      {action.result ? (
        <Output result={action.result} title={trans.__('Output of %1', action.row.title)} />
      ) : (
        <p className="flyte-Muted">
          {action.row.phase === 'succeeded' ? trans.__('None is known.') : trans.__('None yet.')}
        </p>
      )}
      {action.cache && <p className="flyte-Muted">{action.cache}</p>}
    </div>
  );
}

/** What HTML looks like that says nothing of it: as in a notebook, on white also in a dark theme, as plots are. */
const LOOK = `<style>
body { margin: 8px; background: white; color: #212121; font: 13px/1.4 system-ui, sans-serif; }
table { border: 0; border-collapse: collapse; }
:is(td, th) { padding: 4px 8px; border: 0; text-align: right; }
tbody tr:nth-child(odd) { background: #f5f5f5; }
</style>`;

function Output({ result, title }: { result: IPreview; title: string }): JSX.Element {
  return result.html ? (
    <Frame title={title} document={LOOK + result.html} />
  ) : (
    <pre className="flyte-Text">{result.text}</pre>
  );
}
