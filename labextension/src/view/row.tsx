import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** What can be done about a row: a button at its end. */
export interface IRowButton {
  readonly label: string;
  readonly icon: LabIcon;
  click(): void;
}

/** A row of a `TreeGrid`. */
export interface IRow {
  /** Its name among all rows; stays when the row moves. */
  readonly key: string;
  readonly level: 1 | 2;
  /** For a row with others below it: whether they are shown. */
  readonly isOpen?: boolean;
  /** All that the row says, in words. */
  readonly label: string;
  readonly title?: string;
  readonly body: React.ReactNode;
  readonly buttons: () => readonly IRowButton[];
  /** Enter, or a double click. */
  open?(): void;
  toggle?(): void;
  /** The key Delete. */
  remove?(): void;
  /** The context menu, at a place of the page. */
  menu?(x: number, y: number): void;
}

interface IRowProps {
  readonly row: IRow | undefined;
  readonly index: number;
  readonly height: number;
  readonly isActive: boolean;
  readonly hasButtons: boolean;
}

/** One row of a `TreeGrid`, which looks after its keys. */
export function Row({ row, index, height, isActive, hasButtons }: IRowProps): JSX.Element {
  const style = { top: index * height, height };
  const position = { 'aria-rowindex': index + 1, 'data-index': index, tabIndex: isActive ? 0 : -1 };
  if (!row) {
    return (
      <div className="flyte-Row flyte-mod-blank" role="row" aria-busy style={style} {...position}>
        <div role="gridcell" />
      </div>
    );
  }
  return (
    <div
      className="flyte-Row"
      role="row"
      aria-level={row.level}
      aria-expanded={row.isOpen}
      aria-label={row.label}
      title={row.title}
      data-key={row.key}
      style={style}
      {...position}
      onClick={event => {
        if (!(event.target as Element).closest('button')) {
          row.toggle?.();
        }
      }}
      onDoubleClick={() => row.open?.()}
      onContextMenu={event => {
        if (row.menu) {
          event.preventDefault();
          event.stopPropagation();
          const box = event.currentTarget.getBoundingClientRect();
          const isKey = event.clientX === 0 && event.clientY === 0;
          row.menu(isKey ? box.left + 16 : event.clientX, isKey ? box.bottom : event.clientY);
        }
      }}
    >
      <div className="flyte-Row-body" role="gridcell">
        {row.body}
      </div>
      {hasButtons && <Buttons buttons={row.buttons()} />}
    </div>
  );
}

function Buttons({ buttons }: { buttons: readonly IRowButton[] }): JSX.Element | null {
  if (!buttons.length) {
    return null;
  }
  return (
    <div className="flyte-Row-buttons" role="gridcell">
      {buttons.map(({ label, icon, click }) => (
        <button
          key={label}
          type="button"
          tabIndex={-1}
          className="flyte-Row-button"
          title={label}
          aria-label={label}
          onClick={event => {
            event.stopPropagation();
            click();
          }}
        >
          <icon.react tag={null} aria-hidden="true" />
        </button>
      ))}
    </div>
  );
}
