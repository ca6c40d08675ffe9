import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import type { IRunSummary } from '../api/generated';
import { CommandIDs } from '../commands';
import type { Announcer } from '../model/announcer';
import { EVERY_RUN } from '../model/filter';
import type { IKernels } from '../model/kernels';
import { keyOf, type IGroup, type RunList } from '../model/runlist';
import { isOver, type RunsModel } from '../model/runs';
import { buttonsOf, openMenu, type IAction } from './actions';
import { askToCancel } from './ask';
import { useChanges } from './changes';
import { Now, useNow } from './clock';
import { FilterBar } from './filterbar';
import { KernelIcon, kernelWord } from './kernel';
import type { Look } from './look';
import { Nothing } from './nothing';
import type { IRow } from './row';
import { NotebookBody, notebookName, RunBody, runLabel, runTitle } from './runrow';
import { Spoken } from './spoken';
import { TreeGrid } from './treegrid';

/** What the list of runs is made of. */
export interface IRunsProps {
  readonly list: RunList;
  readonly kernels: IKernels;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
  readonly runs: RunsModel;
  readonly look: Look;
  readonly announcer: Announcer;
}

/** Pixels of a row, on one line and on two. */
const COMPACT = 24;
const ROOMY = 42;

/** All runs, grouped by notebook, with what they can be filtered by. */
export function Runs(props: IRunsProps & { isSeen: boolean }): JSX.Element {
  const { list, kernels, commands, trans, runs, look, isSeen } = props;
  const draw = useChanges(list.changed, isSeen);
  useChanges(kernels.changed, isSeen);
  useChanges(look.changed, isSeen);
  const now = useNow(isSeen);
  const show = React.useCallback((first: number, last: number) => list.show(first, last), [list]);
  const change = React.useCallback((filter: RunList['filter']) => (list.filter = filter), [list]);
  return (
    <>
      <Spoken announcer={props.announcer} trans={trans} />
      <FilterBar
        filter={list.filter}
        tasks={tasksOf(runs, list.filter.task)}
        trans={trans}
        change={change}
      />
      {list.length > 0 && !list.problem ? (
        <Now.Provider value={now}>
          <TreeGrid
            label={trans.__('Runs')}
            count={list.length}
            rowHeight={look.isRoomy ? ROOMY : COMPACT}
            row={index => {
              const found = list.row(index);
              if (!found) {
                return undefined;
              }
              if (found.kind === 'notebook') {
                return notebookRow(found.group, props, draw);
              }
              return found.run && runRow(found.run, props);
            }}
            indexOf={key => list.indexOf(key)}
            onShow={show}
          />
        </Now.Provider>
      ) : (
        <Nothing
          problem={list.problem}
          isReady={list.isReady}
          filter={list.filter}
          commands={commands}
          trans={trans}
          retry={() => void list.refresh()}
          clear={() => (list.filter = EVERY_RUN)}
        />
      )}
    </>
  );
}

function notebookRow(group: IGroup, props: IRunsProps, draw: () => void): IRow {
  const { list, kernels, commands, trans } = props;
  const isOpen = list.isOpen(group);
  const { notebook, runs } = group;
  const kernel = notebook === null ? undefined : kernels.of(notebook, runs.at(0)?.kernel ?? null);
  const count = trans._n('%1 run', '%1 runs', runs.length);
  const said = notebook === null ? '' : kernelWord(kernel, trans);
  const actions: IAction[] =
    notebook === null ? [] : [{ command: 'docmanager:open', args: { path: notebook } }];
  return {
    key: keyOf(group),
    level: 1,
    isOpen,
    label: [notebookName(notebook, trans), count, said].filter(Boolean).join(', '),
    title: [notebook, count, said].filter(Boolean).join('\n'),
    body: (
      <NotebookBody
        notebook={notebook}
        isOpen={isOpen}
        count={runs.length}
        kernel={notebook !== null && <KernelIcon kernel={kernel} trans={trans} />}
        trans={trans}
      />
    ),
    buttons: () => [],
    toggle: () => {
      list.toggle(group);
      draw();
    },
    menu: (x, y) => openMenu(commands, actions, x, y)
  };
}

function runRow(run: IRunSummary, { commands, kernels, trans, look }: IRunsProps): IRow {
  const actions = actionsOf(run);
  const open = { command: CommandIDs.openRun, args: { run: run.name } };
  return {
    key: run.name,
    level: 2,
    label: runLabel(run, trans),
    title: runTitle(run, isAlone(run, kernels), trans),
    body: <RunBody run={run} isRoomy={look.isRoomy} trans={trans} />,
    buttons: () => buttonsOf(commands, actions),
    open: () => {
      if (commands.hasCommand(open.command)) {
        void commands.execute(open.command, open.args);
      }
    },
    remove: isOver(run.phase) ? undefined : () => void askToCancel(run, commands, trans),
    menu: (x, y) => openMenu(commands, [open, ...actions], x, y)
  };
}

/** Whether the kernel that has started a run is no more. */
function isAlone({ kernel }: IRunSummary, kernels: IKernels): boolean {
  return kernel !== null && kernels.of(null, kernel) === undefined;
}

/** Tasks to choose from: of runs that are known, and the chosen one. */
function tasksOf(runs: RunsModel, chosen: string): string[] {
  const found = new Set(runs.all().map(run => run.task));
  if (chosen) {
    found.add(chosen);
  }
  return [...found].sort();
}

/** What can be done about a run, the most wanted first. */
function actionsOf(run: IRunSummary): IAction[] {
  const args = { run: run.name };
  const found: IAction[] = [{ command: CommandIDs.goToCell, args }];
  if (run.can_rerun) {
    found.push({ command: CommandIDs.rerun, args });
  }
  if (!isOver(run.phase)) {
    found.push({ command: CommandIDs.cancel, args });
  }
  found.push({ command: CommandIDs.copyCode, args, isRare: true });
  found.push({ command: CommandIDs.attach, args, isRare: true });
  found.push({ command: CommandIDs.openLogs, args, isRare: true });
  return found;
}
