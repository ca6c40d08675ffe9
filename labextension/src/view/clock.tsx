import * as React from 'react';

/** The time in seconds since the epoch, anew each second while somebody looks at the page. */
export function useNow(isTicking = true): number {
  const [now, setNow] = React.useState(() => Date.now() / 1000);
  React.useEffect(() => {
    if (!isTicking) {
      return;
    }
    const timer = setInterval(() => {
      if (!document.hidden) {
        setNow(Date.now() / 1000);
      }
    }, 1000);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now;
}

/** The clock of all rows, so that they tick together and stand still while nobody sees them. */
export const Now = React.createContext(0);
