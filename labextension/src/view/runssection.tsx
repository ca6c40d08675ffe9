import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon, ToolbarButton } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import type { IKernels } from '../model/kernels';
import type { RunList } from '../model/runlist';
import type { IFlyte } from '../tokens';
import { Runs } from './runs';
import { Section } from './section';

/** The section of all runs; they are asked for when it is first seen. */
export function runsSection(of: {
  flyte: IFlyte;
  list: RunList;
  kernels: IKernels;
  commands: CommandRegistry;
  trans: TranslationBundle;
}): Section {
  const { flyte, list, trans } = of;
  const tasks = () => [...new Set(flyte.runs.all().map(run => run.task))].sort();
  const section = new Section('flyte-runs', trans.__('Runs'), isSeen => (
    <Runs {...of} tasks={tasks} isRoomy={false} isSeen={isSeen} />
  ));
  section.toolbar.addItem(
    'refresh',
    new ToolbarButton({
      icon: refreshIcon,
      tooltip: trans.__('Refresh'),
      onClick: () => void list.refresh()
    })
  );
  section.seenChanged.connect((_, isSeen) => {
    if (isSeen && !list.isReady) {
      void list.refresh();
    }
  });
  return section;
}
