import type { TranslationBundle } from '@jupyterlab/translation';
import { circleEmptyIcon, circleIcon, offlineBoltIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IKernelState } from '../model/kernels';

/** What the kernel of a notebook does, with the icons that Lab has for it. */
export function KernelIcon(props: {
  kernel: IKernelState | undefined;
  trans: TranslationBundle;
}): JSX.Element {
  const said = kernelWord(props.kernel, props.trans);
  const status = props.kernel?.status;
  const Icon =
    status === undefined || status === 'dead'
      ? offlineBoltIcon
      : status === 'idle' || status === 'unknown'
        ? circleEmptyIcon
        : circleIcon;
  return (
    <span className="flyte-Kernel" data-status={status ?? 'none'} title={said}>
      <Icon.react tag={null} aria-hidden="true" />
    </span>
  );
}

export function kernelWord(kernel: IKernelState | undefined, trans: TranslationBundle): string {
  switch (kernel?.status) {
    case undefined:
      return trans.__('no kernel runs');
    case 'idle':
      return trans.__('its kernel is idle');
    case 'busy':
      return trans.__('its kernel is busy');
    case 'dead':
      return trans.__('its kernel has died');
    case 'starting':
    case 'restarting':
    case 'autorestarting':
      return trans.__('its kernel starts');
    default:
      return trans.__('its kernel runs');
  }
}
