import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import type { ICluster, IPool, IQueue, IReplica, ITrigger } from '../api/generated';
import { CommandIDs } from '../commands';
import { age, duration } from '../model/times';
import { buttonsOf, openMenu, type IAction } from './actions';
import { Lines } from './lines';
import type { IRow } from './row';
import { bytes } from './words';

/** What rows are made with. */
export interface IRowsOf {
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

/** Pools, with their processes below them. */
export function poolRows(pools: readonly IPool[], { commands, trans }: IRowsOf): IRow[] {
  return pools.flatMap(pool => {
    const busy = pool.replicas.filter(({ idle }) => idle === null).length;
    const side = trans.__('%1 of %2 busy', busy, pool.replicas.length);
    const waits = pool.waiting ? trans._n('%1 call waits', '%1 calls wait', pool.waiting) : '';
    const more = [waits, trans._n('%1 call served', '%1 calls served', pool.served), pool.about];
    const actions = [{ command: CommandIDs.shutdownPool, args: { id: pool.id } }];
    return [
      row({
        key: pool.id,
        name: pool.environment,
        side,
        more: more.filter(Boolean).join(' · '),
        buttons: () => buttonsOf(commands, actions),
        menu: (x, y) => openMenu(commands, actions, x, y)
      }),
      ...pool.replicas.map(replica => replicaRow(pool, replica, trans))
    ];
  });
}

function replicaRow(pool: IPool, replica: IReplica, trans: TranslationBundle): IRow {
  const { idle, memory } = replica;
  const more = [
    replica.pid === null ? trans.__('starts') : trans.__('process %1', replica.pid),
    trans._n('%1 call served', '%1 calls served', replica.served),
    memory ? bytes(memory) : ''
  ];
  return row({
    key: `${pool.id}/${replica.number}`,
    level: 2,
    name: trans.__('Replica %1', replica.number),
    side: idle === null ? trans.__('busy') : trans.__('idle for %1', duration(idle)),
    more: more.filter(Boolean).join(' · ')
  });
}

/** Queues, and how full they are. */
export function queueRows(queues: readonly IQueue[], { trans }: IRowsOf): IRow[] {
  return queues.map(queue =>
    row({
      key: queue.name,
      name: queue.name,
      side: trans.__('%1 running, %2 waiting', queue.running, queue.waiting),
      more:
        queue.cluster ||
        (queue.concurrency === null
          ? trans.__('as many at a time as the machine allows')
          : trans.__('at most %1 at a time', queue.concurrency))
    })
  );
}

/** Triggers: when they fire, and what their last run was. */
export function triggerRows(triggers: readonly ITrigger[], { commands, trans }: IRowsOf): IRow[] {
  const now = Date.now() / 1000;
  return triggers.map(trigger => {
    const { id, name, last_run: last } = trigger;
    const actions: IAction[] = [
      ...(last ? [{ command: CommandIDs.openRun, args: { run: last }, isRare: true }] : []),
      {
        command: trigger.is_active ? CommandIDs.deactivateTrigger : CommandIDs.activateTrigger,
        args: { id }
      },
      { command: CommandIDs.deleteTrigger, args: { id, name } }
    ];
    const side = !trigger.is_active
      ? trans.__('not active')
      : trigger.next === null
        ? trans.__('does not fire')
        : trans.__('in %1', duration(Math.max(10, trigger.next - now)));
    const fired =
      trigger.last === null ? '' : trans.__('last %1', since(now - trigger.last, trans));
    const why = trigger.is_active ? trigger.why_not : '';
    return row({
      key: id,
      name: `${name} · ${trigger.task}`,
      side,
      more: [trigger.about, fired, why].filter(Boolean).join(' · '),
      buttons: () => buttonsOf(commands, actions),
      open: last ? () => void commands.execute(CommandIDs.openRun, { run: last }) : undefined,
      remove: () => void commands.execute(CommandIDs.deleteTrigger, { id, name }),
      menu: (x, y) => openMenu(commands, actions, x, y)
    });
  });
}

function since(seconds: number, trans: TranslationBundle): string {
  const said = age(seconds);
  return said === 'now' ? trans.__('just now') : trans.__('%1 ago', said);
}

/** Clusters, and whether they can be reached. */
export function clusterRows(clusters: readonly ICluster[], { trans }: IRowsOf): IRow[] {
  return clusters.map(cluster =>
    row({
      key: `${cluster.queue}/${cluster.context}/${cluster.namespace}`,
      name: cluster.queue || trans.__('Remote runs'),
      side:
        cluster.is_reached === null
          ? trans.__('not asked')
          : cluster.is_reached
            ? trans.__('✓ reached')
            : trans.__('✗ not reached'),
      more: [
        cluster.said,
        cluster.context,
        cluster.namespace && trans.__('namespace %1', cluster.namespace),
        cluster.store === 'cluster' ? trans.__('no bucket') : cluster.store
      ]
        .filter(Boolean)
        .join(' · ')
    })
  );
}

/** A row with what it shows as its words, too. */
function row(
  of: Omit<IRow, 'body' | 'label' | 'title' | 'level' | 'buttons'> & {
    level?: 1 | 2;
    name: string;
    side: string;
    more: string;
    buttons?: IRow['buttons'];
  }
): IRow {
  const { name, side, more, level = 1, buttons = () => [], ...rest } = of;
  return {
    ...rest,
    level,
    buttons,
    label: [name, side, more].filter(Boolean).join(', '),
    title: [name, side, more].filter(Boolean).join('\n'),
    body: <Lines name={name} side={side} more={more} />
  };
}
