import * as React from 'react';

import type { IKnown } from './values';

/** What the attempt has used over time, with what it has asked for and what it may use at most. */
export function Resources({ trans }: IKnown): JSX.Element {
  return <div className="flyte-Empty">{trans.__('Nothing was measured.')}</div>;
}
