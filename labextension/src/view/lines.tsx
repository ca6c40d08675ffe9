import * as React from 'react';

/** The body of a row: a name, something at its right, and a line below with what else there is to say. */
export function Lines(props: {
  icon?: React.ReactNode;
  name: React.ReactNode;
  side?: React.ReactNode;
  more?: string;
}): JSX.Element {
  return (
    <>
      <span className="flyte-Row-line">
        {props.icon}
        <span className="flyte-Row-name">{props.name}</span>
        {props.side !== undefined && <span className="flyte-Row-side">{props.side}</span>}
      </span>
      {props.more !== undefined && <span className="flyte-Row-more">{props.more}</span>}
    </>
  );
}
