import type { TranslationBundle } from '@jupyterlab/translation';
import { ellipsesIcon, LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import type { ICommand } from '../api/generated';
import { buttonsOf, copiesOf, menuOf, type IDone } from '../model/buttons';
import { offeredWord } from './offered';

/** The buttons of a card. Each runs a command, and so do the items of the menu behind the last one. */
export class Bar {
  /** @param select - makes the cell that the card is in the active one. */
  constructor(
    private readonly commands: CommandRegistry,
    private readonly trans: TranslationBundle,
    private readonly select: () => void
  ) {
    this.node.className = 'flyte-Card-bar';
    this.node.setAttribute('role', 'toolbar');
  }

  readonly node = document.createElement('span');

  /** Have the buttons for what is offered; a button that is there already stays. */
  show(run: string, title: string, offered: readonly ICommand[]): void {
    const key = JSON.stringify([run, offered]);
    if (key === this.shown) {
      return;
    }
    this.shown = key;
    this.node.setAttribute('aria-label', this.trans.__('Run of %1', title));
    const done = offered.length ? buttonsOf(run, offered).filter(each => this.has(each)) : [];
    const focused = this.focused();
    const buttons = done.map(each => this.button(each));
    if (offered.length) {
      buttons.push(this.more(run, offered));
    }
    this.node.replaceChildren(...buttons);
    if (focused !== undefined) {
      (buttons.find(each => each.dataset.command === focused) ?? buttons[0])?.focus();
    }
  }

  private has({ command }: IDone): boolean {
    return this.commands.hasCommand(command);
  }

  private focused(): string | undefined {
    const { activeElement } = document;
    return activeElement instanceof HTMLElement && this.node.contains(activeElement)
      ? activeElement.dataset.command
      : undefined;
  }

  private button({ command, args }: IDone): HTMLButtonElement {
    const icon = this.commands.icon(command, args);
    const made = aButton(
      command,
      this.commands.label(command, args),
      icon instanceof LabIcon ? icon : undefined
    );
    made.onclick = () => {
      this.select();
      void this.commands.execute(command, args);
    };
    return made;
  }

  private more(run: string, offered: readonly ICommand[]): HTMLButtonElement {
    const made = aButton('more', this.trans.__('More for This Run'), ellipsesIcon);
    made.setAttribute('aria-haspopup', 'menu');
    made.onclick = () => {
      this.select();
      const { left, bottom } = made.getBoundingClientRect();
      const menu = this.menu(run, offered);
      menu.open(left, bottom, { horizontalAlignment: 'right' });
      menu.aboutToClose.connect(() => made.focus());
    };
    return made;
  }

  private menu(run: string, given: readonly ICommand[]): Menu {
    const { commands, trans } = this;
    const offered = given.map(each => ({ ...each, label: offeredWord(each, trans) }));
    const menu = new Menu({ commands });
    for (const each of menuOf(run, offered).filter(one => this.has(one))) {
      menu.addItem(each);
    }
    const copies = copiesOf(offered).filter(one => this.has(one));
    if (copies.length) {
      const submenu = new Menu({ commands });
      submenu.title.label = trans.__('Copy Code');
      copies.forEach(each => submenu.addItem(each));
      menu.addItem({ type: 'separator' });
      menu.addItem({ type: 'submenu', submenu });
    }
    return menu;
  }

  private shown = '';
}

function aButton(command: string, label: string, icon: LabIcon | undefined): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'flyte-Card-button';
  made.dataset.command = command;
  made.title = label;
  made.setAttribute('aria-label', label);
  if (icon) {
    icon.element({ container: made, elementSize: 'normal' });
  } else {
    made.textContent = label;
  }
  return made;
}
