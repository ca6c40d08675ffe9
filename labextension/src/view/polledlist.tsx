import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Polled } from '../model/polled';
import { useChanges } from './changes';
import { Said } from './nothing';
import type { IRow } from './row';
import { TreeGrid } from './treegrid';

interface IPolledListProps<T> {
  readonly of: Polled<T[]>;
  readonly label: string;
  readonly rowHeight: number;
  readonly isSeen: boolean;
  readonly trans: TranslationBundle;
  /** What stands there when there are none: what they are and how one gets them. */
  readonly none: string;
  rows(answer: T[]): IRow[];
}

/** Rows of what is asked for while it is seen. */
export function PolledList<T>(props: IPolledListProps<T>): JSX.Element {
  const { of, label, rowHeight, isSeen, trans, none } = props;
  useChanges(of.changed, isSeen);
  if (of.answer === undefined) {
    return of.problem ? (
      <Said title={trans.__('The server does not say')}>
        <p>{of.problem}</p>
      </Said>
    ) : (
      <div className="flyte-Nothing" aria-busy />
    );
  }
  return (
    <>
      {of.problem && (
        <p className="flyte-Problem" role="alert">
          {of.problem}
        </p>
      )}
      <RowList label={label} rowHeight={rowHeight} rows={props.rows(of.answer)} none={none} />
    </>
  );
}

/** A few rows, all of which are known. */
export function RowList(props: {
  label: string;
  rowHeight: number;
  rows: readonly IRow[];
  none: string;
}): JSX.Element {
  const { label, rowHeight, rows, none } = props;
  if (!rows.length) {
    return (
      <Said>
        <p>{none}</p>
      </Said>
    );
  }
  return (
    <TreeGrid
      label={label}
      count={rows.length}
      rowHeight={rowHeight}
      row={index => rows[index]}
      indexOf={key => rows.findIndex(row => row.key === key)}
    />
  );
}
