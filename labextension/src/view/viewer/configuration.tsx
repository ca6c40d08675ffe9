import * as React from 'react';

import { CommandIDs } from '../../commands';
import { ROOT_KEY } from '../../model/viewer_tree';
import type { IKnown } from './values';

/** What was given and where it came from; then what the run before had otherwise. */
export function Configuration({ detail, action, commands, trans }: IKnown): JSX.Element {
  const { config, previous } = detail;
  return (
    <div className="flyte-Page">
      {action.row.name !== ROOT_KEY && (
        <p className="flyte-Muted">{trans.__('Of the first action of the run.')}</p>
      )}
      {config.length ? (
        <table className="flyte-Table">
          <thead>
            <tr>
              <th scope="col">{trans.__('Parameter')}</th>
              <th scope="col">{trans.__('Value')}</th>
              <th scope="col">{trans.__('Given by')}</th>
            </tr>
          </thead>
          <tbody>
            {config.map(({ name, value, level }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <code>{value}</code>
                </td>
                <td>
                  <span className="flyte-Level">{level}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className="flyte-Muted">{trans.__('Nothing was given: all is as by default.')}</p>
      )}
      <h3>{trans.__('Compared with the run before')}</h3>
      {previous ? (
        <>
          <p>
            <button
              className="flyte-Link"
              onClick={() => void commands.execute(CommandIDs.openRun, { run: previous.run })}
            >
              {trans.__('Open %1', previous.run)}
            </button>
          </p>
          {previous.differences.length === 0 && <p>{trans.__('It was given the same.')}</p>}
          {previous.differences.length > 0 && (
            <table className="flyte-Table">
              <thead>
                <tr>
                  <th scope="col">{trans.__('What')}</th>
                  <th scope="col">{trans.__('Before')}</th>
                  <th scope="col">{trans.__('Now')}</th>
                </tr>
              </thead>
              <tbody>
                {previous.differences.map(({ name, before, after }) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td>{before === null ? '—' : <del>{before}</del>}</td>
                    <td>{after === null ? '—' : <ins>{after}</ins>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      ) : (
        <p className="flyte-Muted">{trans.__('There is none of this task.')}</p>
      )}
    </div>
  );
}
