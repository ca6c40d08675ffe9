import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { PhaseName } from '../api/generated';
import type { IRunFilter } from '../model/filter';

/** Milliseconds of silence after which what is typed is looked for. */
const PAUSE = 150;

const OPEN: PhaseName[] = ['queued', 'waiting_for_resources', 'initializing', 'running'];

interface IFilterBarProps {
  readonly filter: IRunFilter;
  /** Full names of tasks to choose from. */
  readonly tasks: readonly string[];
  readonly trans: TranslationBundle;
  change(filter: IRunFilter): void;
}

/** Which runs are listed: by words, phase and task. */
export function FilterBar({ filter, tasks, trans, change }: IFilterBarProps): JSX.Element {
  const [text, setText] = React.useState(filter.text);
  const latest = React.useRef(filter);
  latest.current = filter;
  React.useEffect(() => setText(filter.text), [filter.text]);
  React.useEffect(() => {
    const timer = setTimeout(() => {
      if (text !== latest.current.text) {
        change({ ...latest.current, text });
      }
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [text, change]);

  const phases: [string, string, PhaseName[]][] = [
    ['', trans.__('Any phase'), []],
    ['open', trans.__('Not ended'), OPEN],
    ['succeeded', trans.__('Succeeded'), ['succeeded']],
    ['failed', trans.__('Failed'), ['failed', 'timed_out']],
    ['aborted', trans.__('Aborted'), ['aborted']]
  ];
  const chosen = phases.find(([, , of]) => of.join() === filter.phases.join())?.[0] ?? '';
  return (
    <div className="flyte-Filter" role="search" aria-label={trans.__('Filter runs')}>
      <input
        type="search"
        className="flyte-Filter-text"
        placeholder={trans.__('Filter runs')}
        aria-label={trans.__('Words in the name, task, notebook or reason')}
        value={text}
        spellCheck={false}
        onChange={event => setText(event.target.value)}
      />
      <select
        className="flyte-Filter-select"
        aria-label={trans.__('Phase')}
        value={chosen}
        data-is-set={chosen !== ''}
        onChange={event => {
          const found = phases.find(([name]) => name === event.target.value);
          change({ ...filter, text, phases: found?.[2] ?? [] });
        }}
      >
        {phases.map(([name, label]) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
      <select
        className="flyte-Filter-select"
        aria-label={trans.__('Task')}
        value={filter.task}
        data-is-set={filter.task !== ''}
        onChange={event => change({ ...filter, text, task: event.target.value })}
      >
        <option value="">{trans.__('Any task')}</option>
        {tasks.map(task => (
          <option key={task} value={task}>
            {task}
          </option>
        ))}
      </select>
    </div>
  );
}
