import * as React from 'react';

import type { IAttempt } from '../../api/generated';
import { pieces } from '../logs/ansi';
import { isOver } from '../../model/runs';
import { duration } from '../../model/times';
import { clock } from '../words';
import { Phase } from './phase';
import type { IKnown } from './values';

/** What has happened, in order; then the attempts and what they have failed of. */
export function Events({ action, now, trans }: IKnown): JSX.Element {
  const { history } = action.row;
  const about = [action.replica, action.pod, ...action.notes].filter(text => text);
  return (
    <div className="flyte-Page">
      <table className="flyte-Table">
        <thead>
          <tr>
            <th scope="col">{trans.__('Time')}</th>
            <th scope="col">{trans.__('For')}</th>
            <th scope="col">{trans.__('Phase')}</th>
            <th scope="col">{trans.__('Attempt')}</th>
            <th scope="col">{trans.__('Step')}</th>
          </tr>
        </thead>
        <tbody>
          {history.map(({ phase, at, attempt, step }, index) => {
            const next = history[index + 1]?.at;
            const isLast = next === undefined;
            const end = next ?? (isOver(phase) ? undefined : now);
            return (
              <tr key={index}>
                <td>{clock(at, now)}</td>
                <td>{end === undefined ? '' : duration(Math.max(0, end - at))}</td>
                <td>
                  <Phase phase={phase} trans={trans} />
                </td>
                <td>{attempt + 1}</td>
                <td>{step || (isLast ? action.row.reason : '')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {about.map(text => (
        <p key={text} className="flyte-Muted">
          {text}
        </p>
      ))}
      {action.links.map(({ name, uri }) => (
        <p key={name}>
          {uri && /^https?:/i.test(uri) ? (
            <a href={uri} target="_blank" rel="noopener noreferrer">
              {name}
            </a>
          ) : (
            name
          )}
        </p>
      ))}
      {action.attempts.map(attempt => (
        <Failed key={attempt.number} attempt={attempt} trans={trans} />
      ))}
    </div>
  );
}

function Failed({ attempt, trans }: Pick<IKnown, 'trans'> & { attempt: IAttempt }): JSX.Element {
  const { failure } = attempt;
  if (!failure) {
    return <></>;
  }
  return (
    <section>
      <h3>{trans.__('Attempt %1 failed', attempt.number + 1)}</h3>
      <p className="flyte-Failure">
        ✗ {failure.code}: {failure.message}
      </p>
      {failure.traceback && (
        <pre className="flyte-Text" tabIndex={0} aria-label={trans.__('Traceback')}>
          {failure.traceback
            .trimEnd()
            .split('\n')
            .map((line, index) => (
              <div key={index}>
                {pieces(line).map((piece, i) => (
                  <span key={i} className={piece.classes || undefined}>
                    {piece.text}
                  </span>
                ))}
                {'\n'}
              </div>
            ))}
        </pre>
      )}
    </section>
  );
}
