import { CommandToolbarButton, MainAreaWidget } from '@jupyterlab/apputils';

import { CommandIDs } from '../../commands';
import { isOver } from '../../model/runs';
import { ViewerModel } from '../../model/viewer';
import type { IFlyte } from '../../tokens';
import { flyteIcon } from '../icons';
import { RunViewer, type IViewerOptions } from './panel';

const BUTTONS = [CommandIDs.cancel, CommandIDs.rerun, CommandIDs.copyCode, CommandIDs.goToCell];

/** A tab of the main area with a run, and what can be done with it. */
export function viewerTab(
  { client, stream, runs }: IFlyte,
  run: string,
  options: Omit<IViewerOptions, 'model'>
): MainAreaWidget<RunViewer> {
  const { commands } = options;
  const model = new ViewerModel(client, stream, run, name => runs.get(name));
  const content = new RunViewer({ model, ...options });
  const widget = new MainAreaWidget({ content });
  widget.id = `flyte-run-${run}`;
  widget.toolbar.addClass('flyte-Viewer-toolbar');
  widget.title.label = runs.get(run)?.title ?? run;
  widget.title.caption = run;
  widget.title.closable = true;
  widget.title.icon = flyteIcon;
  const buttons = BUTTONS.map(id => {
    const button = new CommandToolbarButton({ commands, id, args: { run } });
    widget.toolbar.addItem(id, button);
    return [id, button] as const;
  });
  const follow = () => {
    const { summary } = model;
    const isEnded = model.phase !== undefined && isOver(model.phase);
    widget.title.label = summary?.title ?? run;
    for (const [id, button] of buttons) {
      const isIdle = id === CommandIDs.cancel ? isEnded : id === CommandIDs.rerun && !isEnded;
      const isAway = id === CommandIDs.goToCell && !summary?.notebook;
      button.setHidden(isIdle || isAway);
    }
  };
  model.changed.connect(follow);
  model.actions.changed.connect(follow);
  void model.load();
  return widget;
}
