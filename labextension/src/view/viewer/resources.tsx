import * as React from 'react';

import { bytes } from '../words';
import { Chart } from './chart';
import type { IKnown } from './values';

/** What the attempt has used over time, with what it has asked for and what it may use at most. */
export function Resources({ model, action, now, trans }: IKnown): JSX.Element {
  const attempt = action.attempts.find(({ number }) => number === model.attempt);
  const samples = attempt?.samples ?? [];
  const { requests, limits } = action;
  const others = Object.entries(requests).filter(([name]) => name !== 'cpu' && name !== 'memory');
  const cores = (value: number) => String(Number(value.toFixed(2)));
  const asked = [
    [trans.__('cores'), requests['cpu'], limits['cpu'], cores],
    [trans.__('memory'), requests['memory'], limits['memory'], bytes]
  ] as const;
  const time = {
    from: attempt?.began ?? samples[0]?.at ?? 0,
    to: attempt?.ended ?? Math.max(now, samples[samples.length - 1]?.at ?? 0)
  };
  const lines = (name: 'cpu' | 'memory') => [
    ...(requests[name] === undefined || requests[name] === limits[name]
      ? []
      : [{ name: trans.__('asked for'), value: requests[name], isLimit: false }]),
    ...(limits[name] === undefined
      ? []
      : [{ name: trans.__('at most'), value: limits[name], isLimit: true }])
  ];
  const summary = (values: number[], word: (value: number) => string) =>
    trans.__('peak %1, last %2', word(Math.max(...values)), word(values[values.length - 1]));
  const used = samples.map(sample => sample.cores);
  const memory = samples.map(sample => sample.memory);
  return (
    <div className="flyte-Page">
      {samples.length === 0 && (
        <p className="flyte-Muted">
          {trans.__('Nothing was measured: it is looked at once a second while it runs.')}
        </p>
      )}
      {samples.length > 0 && (
        <>
          <Chart
            title={trans.__('Cores')}
            points={samples.map(sample => [sample.at, sample.cores] as const)}
            lines={lines('cpu')}
            summary={summary(used, cores)}
            word={cores}
            isBytes={false}
            time={time}
          />
          <Chart
            title={trans.__('Memory')}
            points={samples.map(sample => [sample.at, sample.memory] as const)}
            lines={lines('memory')}
            summary={summary(memory, bytes)}
            word={bytes}
            isBytes
            time={time}
          />
        </>
      )}
      <table className="flyte-Table">
        <thead>
          <tr>
            <th scope="col">{trans.__('Resource')}</th>
            <th scope="col">{trans.__('Asked for')}</th>
            <th scope="col">{trans.__('At most')}</th>
          </tr>
        </thead>
        <tbody>
          {asked.map(([name, request, limit, word]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{request === undefined ? '—' : word(request)}</td>
              <td>{limit === undefined ? '—' : word(limit)}</td>
            </tr>
          ))}
          {others.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{name === 'gpu' ? value : bytes(value)}</td>
              <td>—</td>
            </tr>
          ))}
        </tbody>
      </table>
      {action.peak_memory !== null && (
        <p className="flyte-Muted">{trans.__('Peak memory: %1', bytes(action.peak_memory))}</p>
      )}
    </div>
  );
}
