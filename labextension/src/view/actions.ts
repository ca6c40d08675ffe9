import type { LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';

import type { IRowButton } from './row';

/** A command for something that a row shows. */
export interface IAction {
  readonly command: string;
  readonly args: ReadonlyJSONObject;
  /** Only in the menu of the row, not among its buttons. */
  readonly isRare?: boolean;
}

/** The buttons for those that can be done now. */
export function buttonsOf(commands: CommandRegistry, actions: readonly IAction[]): IRowButton[] {
  return possible(commands, actions)
    .filter(({ command, args, isRare }) => !isRare && commands.icon(command, args) !== undefined)
    .map(({ command, args }) => ({
      label: commands.label(command, args),
      icon: commands.icon(command, args) as LabIcon,
      click: () => void commands.execute(command, args)
    }));
}

/** Open a menu of them. */
export function openMenu(
  commands: CommandRegistry,
  actions: readonly IAction[],
  x: number,
  y: number
): void {
  const menu = new Menu({ commands });
  possible(commands, actions).forEach(({ command, args }) => menu.addItem({ command, args }));
  menu.aboutToClose.connect(() => void Promise.resolve().then(() => menu.dispose()));
  menu.open(x, y);
}

function possible(commands: CommandRegistry, actions: readonly IAction[]): IAction[] {
  return actions.filter(
    ({ command, args }) =>
      commands.hasCommand(command) &&
      commands.isEnabled(command, args) &&
      commands.isVisible(command, args)
  );
}
