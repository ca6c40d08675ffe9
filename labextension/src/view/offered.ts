import type { TranslationBundle } from '@jupyterlab/translation';

import type { ICommand } from '../api/generated';

/** What the code does that the server offers for a run; in its own words for what we do not know. */
export function offeredWord({ name, label }: ICommand, trans: TranslationBundle): string {
  switch (name) {
    case 'cancel':
      return trans.__('Cancel it');
    case 'value':
      return trans.__('Its value, in any notebook');
    case 'resources':
      return trans.__('Again with the most that there is');
    case 'memory':
      return trans.__('Again with more memory');
    case 'rerun':
      return trans.__('Again as it was');
    case 'override':
      return trans.__('Again with other parameters');
    case 'panel':
      return trans.__('In a form, where its task is defined');
    case 'kubectl':
      return trans.__('What the cluster says of its pod');
    case 'logs':
      return trans.__('All that it printed');
    default:
      return label;
  }
}
