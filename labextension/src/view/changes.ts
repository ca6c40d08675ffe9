import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

/**
 * Draw again when a signal is emitted, once a frame at most; not at all while nobody looks.
 *
 * @returns draws at once, so that the next key finds what the last one did.
 */
export function useChanges(signal: ISignal<unknown, unknown>, isSeen: boolean): () => void {
  const [, draw] = React.useReducer((version: number) => version + 1, 0);
  React.useEffect(() => {
    if (!isSeen) {
      return;
    }
    let frame = 0;
    const ask = () => {
      frame = frame || requestAnimationFrame(() => ((frame = 0), draw()));
    };
    signal.connect(ask);
    ask(); // what happened while nobody looked
    return () => {
      signal.disconnect(ask);
      cancelAnimationFrame(frame);
    };
  }, [signal, isSeen]);
  return draw;
}
