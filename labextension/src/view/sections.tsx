import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import type { Machine } from '../model/machine';
import type { Polled } from '../model/polled';
import type { OpenNotebook } from '../notebook/open_notebook';
import { useChanges } from './changes';
import { environmentRows } from './declared_rows';
import { clusterRows, poolRows, queueRows, triggerRows, type IRowsOf } from './machine_rows';
import { PolledList, RowList } from './polledlist';
import type { IRow } from './row';
import { Section } from './section';

/** Pixels of a row with one line, and with two. */
const ONE = 24;
const TWO = 40;

interface IOf {
  readonly machine: Machine;
  readonly notebook: OpenNotebook | null;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

/** All sections but that of the runs. */
export function sections(of: IOf): Section[] {
  const { machine, trans } = of;
  return [
    environmentsSection(of),
    listed('pools', trans.__('Pools'), machine.pools, poolRows, of, {
      none: trans.__('No warm process runs. Environments with reusable=ReusePolicy(...) have some.')
    }),
    listed('queues', trans.__('Queues'), machine.queues, queueRows, of, {
      none: trans.__('No queue was used or set up. Tasks name theirs with queue="...".')
    }),
    listed('triggers', trans.__('Triggers'), machine.triggers, triggerRows, of, {
      none: trans.__('No trigger was deployed: flyte.deploy does so for tasks with triggers.')
    }),
    listed('clusters', trans.__('Clusters'), machine.clusters, clusterRows, of, {
      none: trans.__('No cluster is set up. flyte.init(...) says where remote runs go.')
    })
  ];
}

function environmentsSection({ machine, notebook, commands, trans }: IOf): Section {
  const label = trans.__('Environments');
  return polled('environments', label, machine.environments, trans, isSeen => (
    <Environments {...{ machine, notebook, commands, trans, label, isSeen }} />
  ));
}

function Environments(of: IOf & { label: string; isSeen: boolean }): JSX.Element {
  const { machine, notebook, label, isSeen, trans } = of;
  useChanges(machine.environments.changed, isSeen);
  useChanges(notebook?.changed ?? machine.environments.changed, isSeen);
  const open = notebook?.path ? { path: notebook.path, declared: notebook.declared } : null;
  return (
    <RowList
      label={label}
      rowHeight={ONE}
      rows={environmentRows(machine.environments.answer ?? [], open, of)}
      none={trans.__('The open notebook declares no environment, and no run was of one.')}
    />
  );
}

function listed<T>(
  name: string,
  label: string,
  of: Polled<T[]>,
  rows: (answer: readonly T[], of: IRowsOf) => IRow[],
  { commands, trans }: IOf,
  { none }: { none: string }
): Section {
  return polled(name, label, of, trans, isSeen => (
    <PolledList
      of={of}
      label={label}
      rowHeight={TWO}
      isSeen={isSeen}
      trans={trans}
      none={none}
      rows={answer => rows(answer, { commands, trans })}
    />
  ));
}

/** A section of what is asked for while it is seen. */
function polled(
  name: string,
  label: string,
  of: Polled<unknown>,
  trans: TranslationBundle,
  draw: (isSeen: boolean) => JSX.Element
): Section {
  const section = new Section(`flyte-${name}`, label, draw);
  section.seenChanged.connect((_, isSeen) => {
    of.isSeen = isSeen;
  });
  section.toolbar.addItem(
    'refresh',
    refreshButton(trans, () => void of.refresh())
  );
  return section;
}

/** A button of a toolbar. Lab's own is an element without a role that has ARIA attributes, which axe refuses. */
export function refreshButton(trans: TranslationBundle, click: () => void): ReactWidget {
  const label = trans.__('Refresh');
  return ReactWidget.create(
    <button
      type="button"
      className="flyte-Row-button"
      title={label}
      aria-label={label}
      onClick={click}
    >
      <refreshIcon.react tag={null} aria-hidden="true" />
    </button>
  );
}
