import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import type { IEnvironment } from '../api/generated';
import { CommandIDs } from '../commands';
import type { IDeclaredIn } from '../model/cells';
import { buttonsOf, openMenu, type IAction } from './actions';
import { Lines } from './lines';
import type { IRow } from './row';

/** The open notebook, as rows need it. */
export interface IOpenNotebook {
  readonly path: string;
  readonly declared: readonly IDeclaredIn[];
}

interface IOf {
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

/**
 * The environments of the open notebook with their tasks, each with its cell; then those that only runs tell of.
 */
export function environmentRows(
  used: readonly IEnvironment[],
  notebook: IOpenNotebook | null,
  of: IOf
): IRow[] {
  const { trans } = of;
  const declared = notebook?.declared ?? [];
  const environments = declared.filter(({ kind }) => kind === 'environment');
  const tasks = declared.filter(({ kind }) => kind === 'task');
  const names = new Set([...environments, ...tasks].map(one => environmentOf(one)));
  const rows: IRow[] = [];
  for (const name of names) {
    const known = used.find(each => each.name === name);
    const one = environments.find(each => each.name === name);
    rows.push(
      made(
        {
          key: `here:${name}`,
          level: 1,
          name: name || trans.__('Environment known when it runs'),
          side: known ? runsWord(known.runs, trans) : '',
          title: one?.about ?? '',
          actions: one && notebook ? [toCell(notebook, one)] : []
        },
        of
      ),
      ...tasks.filter(task => task.environment === name).map(task => taskRow(task, notebook!, of))
    );
  }
  for (const each of used.filter(({ name }) => !names.has(name))) {
    const side = runsWord(each.runs, trans);
    rows.push(
      made(
        { key: `used:${each.name}`, level: 1, name: each.name, side, title: '', actions: [] },
        of
      ),
      ...each.tasks.map(task =>
        made(
          {
            key: `used:${each.name}:${task}`,
            level: 2,
            name: task.slice(task.lastIndexOf('.') + 1),
            side: '',
            title: task,
            actions: [{ command: CommandIDs.showRuns, args: { task } }]
          },
          of
        )
      )
    );
  }
  return rows;
}

function environmentOf(one: IDeclaredIn): string {
  return one.kind === 'environment' ? one.name : one.environment;
}

function taskRow(task: IDeclaredIn, notebook: IOpenNotebook, of: IOf): IRow {
  const code = task.variable && `flyte.run(${task.variable})`;
  const actions: IAction[] = [
    toCell(notebook, task),
    { command: CommandIDs.showRuns, args: { task: task.name } }
  ];
  if (code) {
    const label = of.trans.__('Copy Code That Runs It');
    actions.push({ command: CommandIDs.copyCode, args: { code, label } });
  }
  const key = `here:${task.cell}:${task.line}:${task.name}`;
  const title = [task.name, task.about].filter(Boolean).join('\n');
  return made({ key, level: 2, name: task.title, side: '', title, actions }, of);
}

function toCell(notebook: IOpenNotebook, one: IDeclaredIn): IAction {
  return { command: CommandIDs.goToCell, args: { notebook: notebook.path, cell: one.cell } };
}

function runsWord(runs: number, trans: TranslationBundle): string {
  return trans._n('%1 run', '%1 runs', runs);
}

/** A row whose first action is what Enter does. */
function made(
  row: {
    key: string;
    level: 1 | 2;
    name: string;
    side: string;
    title: string;
    actions: readonly IAction[];
  },
  { commands }: IOf
): IRow {
  const { actions, name, side, title } = row;
  const [first] = actions;
  return {
    key: row.key,
    level: row.level,
    label: [name, side, title].filter(Boolean).join(', '),
    title: title || name,
    body: <Lines name={name} side={side} />,
    buttons: () => buttonsOf(commands, actions),
    open: first && (() => void commands.execute(first.command, first.args)),
    menu: (x, y) => openMenu(commands, actions, x, y)
  };
}
