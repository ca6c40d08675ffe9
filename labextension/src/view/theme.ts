import { useEffect, useState } from 'react';

/** Attributes of the page: what JupyterLab says of its theme, and what the settings say of what tasks have made. */
const OURS = 'data-flyte-theme';
const LABS = 'data-jp-theme-light';

/** Have reports and rich results the colours of JupyterLab, or white paper. */
export function follow(isFollowed: boolean): void {
  document.body.toggleAttribute(OURS, isFollowed);
}

/** Whether what tasks have made is shown on a dark ground now. */
export function useIsDark(): boolean {
  const [is, set] = useState(isDark);
  useEffect(() => {
    const observer = new MutationObserver(() => set(isDark()));
    observer.observe(document.body, { attributeFilter: [OURS, LABS] });
    set(isDark());
    return () => observer.disconnect();
  }, []);
  return is;
}

function isDark(): boolean {
  const { body } = document;
  return body.hasAttribute(OURS) && body.getAttribute(LABS) === 'false';
}
