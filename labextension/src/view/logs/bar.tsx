import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretUpIcon, downloadIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { LogModel } from '../../model/viewer_logs';
import type { LogSearch } from '../../model/viewer_search';

/** What stands above a log: which attempt, search, follow, times, and where all of it can be saved from. */
export function LogBar(props: {
  log: LogModel;
  search: LogSearch;
  url: string;
  attempts: number;
  choose: (attempt: number) => void;
  follows: boolean;
  follow: (follows: boolean) => void;
  hasTimes: boolean;
  showTimes: (hasTimes: boolean) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { log, search, trans } = props;
  const press = (event: React.KeyboardEvent) => {
    if (event.key === 'Enter') {
      search.step(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape') {
      search.search('');
    }
  };
  return (
    <div className="flyte-Bar">
      {props.attempts > 1 && (
        <label>
          {trans.__('Attempt')}{' '}
          <select value={log.attempt} onChange={event => props.choose(Number(event.target.value))}>
            {Array.from({ length: props.attempts }, (_, number) => (
              <option key={number} value={number}>
                {number + 1}
              </option>
            ))}
          </select>
        </label>
      )}
      <input
        type="search"
        className="flyte-Input"
        placeholder={trans.__('Search')}
        aria-label={trans.__('Search the log')}
        value={search.text}
        onChange={event => search.search(event.target.value)}
        onKeyDown={press}
      />
      <span className="flyte-Bar-count" role="status">
        {count(search, trans)}
      </span>
      <Small
        label={trans.__('Previous match')}
        disabled={search.found.length === 0}
        click={() => search.step(-1)}
      >
        <caretUpIcon.react tag="span" />
      </Small>
      <Small
        label={trans.__('Next match')}
        disabled={search.found.length === 0}
        click={() => search.step(1)}
      >
        <caretDownIcon.react tag="span" />
      </Small>
      <span className="flyte-Bar-space" />
      <label>
        <input
          type="checkbox"
          checked={props.hasTimes}
          onChange={event => props.showTimes(event.target.checked)}
        />
        {trans.__('Seconds')}
      </label>
      <label>
        <input
          type="checkbox"
          checked={props.follows}
          onChange={event => props.follow(event.target.checked)}
        />
        {trans.__('Follow')}
      </label>
      <a
        className="flyte-Small"
        href={props.url}
        download=""
        title={trans.__('Save all lines as a file')}
        aria-label={trans.__('Save all lines as a file')}
      >
        <downloadIcon.react tag="span" />
      </a>
    </div>
  );
}

/** A button that is an icon. */
export function Small(props: {
  label: string;
  click: () => void;
  disabled?: boolean;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <button
      className="flyte-Small"
      title={props.label}
      aria-label={props.label}
      disabled={props.disabled}
      onClick={props.click}
    >
      {props.children}
    </button>
  );
}

function count(search: LogSearch, trans: TranslationBundle): string {
  if (!search.text) {
    return '';
  }
  const found = search.found.length.toLocaleString();
  if (search.found.length === 0) {
    return search.isBusy ? trans.__('searching …') : trans.__('no line');
  }
  return trans.__('%1 of %2 lines', (search.at + 1).toLocaleString(), found);
}
