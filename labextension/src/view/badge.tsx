import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRunSummary } from '../api/generated';
import type { CellRuns } from '../model/cell_runs';
import { isOver } from '../model/runs';
import { PhaseIcon, phaseWord } from './phase';
import { took } from './runrow';

const SECOND = 1000;

/**
 * How the last run of a cell went: environment, phase, cached, duration.
 *
 * It is short, because JupyterLab hides a toolbar that takes more than half of its cell.
 */
export class Badge extends ReactWidget {
  /** @param cell - gives its key among `runs`, '' as long as it is in no notebook; open - shows a run. */
  constructor(
    private readonly runs: CellRuns,
    private readonly cell: () => string,
    private readonly open: (run: string) => void,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('flyte-BadgeItem');
  }

  protected override render(): JSX.Element {
    return (
      <UseSignal
        signal={this.runs.changed}
        shouldUpdate={(_, touched) => touched?.has(this.cell()) ?? true}
      >
        {() => {
          const run = this.runs.last(this.cell());
          return run ? <Shown run={run} open={this.open} trans={this.trans} /> : <></>;
        }}
      </UseSignal>
    );
  }
}

interface IShown {
  run: IRunSummary;
  open: (run: string) => void;
  trans: TranslationBundle;
}

function Shown({ run, open, trans }: IShown): JSX.Element {
  const now = useNow(!isOver(run.phase));
  const phase = phaseWord(run.phase, trans);
  const time = took(run, now);
  const brief = run.is_cached ? trans.__('cached') : time;
  const said = [
    run.environment,
    run.is_cached ? trans.__('%1, cached', phase) : phase,
    time,
    run.reason
  ];
  const words = said.filter(Boolean).join(' · ');
  return (
    <>
      <button
        className="flyte-Badge"
        data-phase={run.phase}
        title={words}
        aria-label={trans.__('Last run of this cell: %1', words)}
        onClick={() => open(run.name)}
      >
        <PhaseIcon phase={run.phase} />
        <span className="flyte-Badge-env">{run.environment}</span>
        <span className="flyte-Badge-time">{brief}</span>
      </button>
      <span className="flyte-Hidden" role="status">
        {trans.__('%1: %2', run.title, phase)}
      </span>
    </>
  );
}

/** The time, again each second while something runs. */
function useNow(isRunning: boolean): number {
  const [now, setNow] = React.useState(() => Date.now() / SECOND);
  React.useEffect(() => {
    if (!isRunning) {
      return;
    }
    const timer = window.setInterval(() => setNow(Date.now() / SECOND), SECOND);
    return () => window.clearInterval(timer);
  }, [isRunning]);
  return now;
}
