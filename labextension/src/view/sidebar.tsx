import type { ITranslator } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { AccordionPanel } from '@lumino/widgets';
import * as React from 'react';

import { Announcer } from '../model/announcer';
import type { IKernels } from '../model/kernels';
import type { Machine } from '../model/machine';
import type { RunList } from '../model/runlist';
import type { RunsModel } from '../model/runs';
import { withRoom } from '../model/scroll';
import type { OpenNotebook } from '../notebook/open_notebook';
import { DOMAIN } from '../tokens';
import type { Look } from './look';
import { Runs } from './runs';
import { Section } from './section';
import { refreshButton, sections } from './sections';

interface ISidebarOptions {
  readonly list: RunList;
  readonly runs: RunsModel;
  readonly machine: Machine;
  readonly kernels: IKernels;
  readonly notebook: OpenNotebook | null;
  readonly look: Look;
  readonly commands: CommandRegistry;
  readonly translator: ITranslator;
}

/** The sidebar: sections one below the other, of which only that of the runs is open at first. */
export class Sidebar extends SidePanel {
  constructor(options: ISidebarOptions) {
    super({ translator: options.translator });
    const trans = options.translator.load(DOMAIN);
    this.id = 'flyte-sidebar';
    this.addClass('flyte-Sidebar');
    this.title.caption = trans.__('Flyte: runs, tasks, pools, queues, triggers and clusters');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Flyte'));

    const { list } = options;
    const announcer = new Announcer(options.runs);
    const runs = new Section('flyte-runs', trans.__('Runs'), isSeen => (
      <Runs {...options} announcer={announcer} trans={trans} isSeen={isSeen} />
    ));
    runs.toolbar.addItem(
      'refresh',
      refreshButton(trans, () => void list.refresh())
    );
    this.addWidget(runs);
    const others = sections({ ...options, trans });
    others.forEach(section => this.addWidget(section));
    others.forEach((_, index) => this.accordion.collapse(index + 1));
    this.accordion.expansionToggled.connect((accordion, index) => {
      if (!accordion.widgets[index].isHidden) {
        accordion.setRelativeSizes(withRoom(accordion.relativeSizes(), index));
      }
    });
  }

  /** Open the section of the runs. */
  showRuns(): void {
    this.accordion.expand(0);
  }

  private get accordion(): AccordionPanel {
    return this.content as AccordionPanel;
  }
}
