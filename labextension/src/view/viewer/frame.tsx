import * as React from 'react';

import { useIsDark } from '../theme';

/**
 * Somebody else's document, in a frame of an origin of its own.
 *
 * It has no `allow-same-origin`: it reaches neither the page around it nor its storage, cookies and requests. The policy
 * in front of it keeps it from loading or sending anything. Scripts run only where a report is shown by itself, and
 * then of the document alone; they open no windows, forms, dialogs or downloads and never move the page.
 *
 * It is on white, for which most of what people make is made, unless the settings want the colours of JupyterLab.
 */
export function Frame(props: {
  title: string;
  document: string;
  hasScripts?: boolean;
}): JSX.Element {
  const isDark = useIsDark();
  return (
    <iframe
      className={isDark ? 'flyte-Frame flyte-mod-dark' : 'flyte-Frame'}
      title={props.title}
      sandbox={props.hasScripts ? 'allow-scripts' : ''}
      referrerPolicy="no-referrer"
      srcDoc={confined(props.document, props.hasScripts ?? false, isDark)}
    />
  );
}

const ALLOWED = [
  "default-src 'none'",
  'img-src data: blob:',
  'font-src data:',
  'media-src data: blob:',
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'"
];
const SCRIPTS = "script-src 'unsafe-inline' 'unsafe-eval'; worker-src blob:";

/** A document with the policy that holds for all of it: a `<meta>` counts only for what comes after it. */
export function confined(document: string, hasScripts: boolean, isDark = false): string {
  const policy = [...ALLOWED, ...(hasScripts ? [SCRIPTS] : [])].join('; ');
  const meta =
    `<meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<meta name="color-scheme" content="${isDark ? 'dark' : 'light'}">`;
  return `<!DOCTYPE html><meta charset="utf-8">${meta}${document.replace(/^\s*<!DOCTYPE[^>]*>/i, '')}`;
}
