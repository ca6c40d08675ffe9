import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { TabPanel } from '@lumino/widgets';

/**
 * Notebook 7 has a browser tab for each document, and no main area for several of them.
 *
 * What has no page of its own gets a tab on its first page, beside the files, as its settings do; every other page
 * opens that one in another browser tab. The address says which run is shown, so that it can be kept, shared, and
 * loaded anew. Windows have names: what is open already is shown again.
 */

/** What the address of the first page may name, and of a page with a notebook. */
const RUN = 'flyte-run';
const ACTION = 'flyte-action';
const TAB = 'flyte-tab';
const CELL = 'cell-id';

/** A run, one of its actions and one of the tabs about it. */
export interface IRunAddress {
  readonly run: string;
  readonly action?: string;
  readonly tab?: string;
}

/** Whether this is one of its pages. */
export function isHere(): boolean {
  return PageConfig.getOption('notebookPage') !== '';
}

/** Whether this is one for a single document. */
export function isDocumentPage(): boolean {
  return isHere() && !isFirstPage();
}

function isFirstPage(): boolean {
  return PageConfig.getOption('notebookPage') === 'tree';
}

/** Let this window be found by the pages that it opens. */
export function nameWindow(): void {
  window.name ||= windowOf(window.location.pathname);
}

/** The tabs of its first page; null on every other one, and in JupyterLab. */
export function tabsOf(app: JupyterFrontEnd): Promise<TabPanel> | null {
  if (!isFirstPage()) {
    return null;
  }
  return app.restored.then(() => {
    const [main] = app.shell.widgets('main');
    if (!(main instanceof TabPanel)) {
      throw new Error('The first page of Notebook 7 has no tabs.');
    }
    return main;
  });
}

/** Show a run in a browser tab, the same one each time. Returns whether the browser lets us. */
export function openRunPage(app: JupyterFrontEnd, { run, action, tab }: IRunAddress): boolean {
  const address = new URL(pageOf(app, 'tree'));
  const named = { [RUN]: run, [ACTION]: action, [TAB]: tab };
  for (const [name, value] of Object.entries(named)) {
    if (value) {
      address.searchParams.set(name, value);
    }
  }
  return window.open(address, `flyte-run-${run}`) !== null;
}

/** Show a cell in the page of its notebook, which is not loaded anew when it is one that we know. */
export function openCellPage(
  app: JupyterFrontEnd,
  notebook: string,
  cell: string | null | undefined
): boolean {
  const address = new URL(pageOf(app, 'notebooks', notebook));
  address.hash = cell ? `${CELL}=${cell}` : '';
  const found = window.open('', windowOf(address.pathname));
  if (found?.location.pathname === address.pathname) {
    found.location.hash = address.hash;
    found.focus();
  } else {
    found?.location.replace(address);
  }
  return found !== null;
}

/** The run that the address asks for. */
export function addressedRun(): IRunAddress | null {
  const { searchParams } = new URL(window.location.href);
  const run = searchParams.get(RUN);
  const [action, tab] = [searchParams.get(ACTION), searchParams.get(TAB)];
  return run ? { run, action: action ?? undefined, tab: tab ?? undefined } : null;
}

/** The cell that the address asks for. */
export function addressedCell(): string | null {
  return new URLSearchParams(window.location.hash.slice(1)).get(CELL);
}

/** Say in the address which run is shown: '' for none. */
export function setAddressedRun(run: string): void {
  const address = new URL(window.location.href);
  if ((addressedRun()?.run ?? '') === run) {
    return;
  }
  [RUN, ACTION, TAB].forEach(name => address.searchParams.delete(name));
  if (run) {
    address.searchParams.set(RUN, run);
  }
  window.history.replaceState(window.history.state, '', address);
}

function pageOf(app: JupyterFrontEnd, page: string, path = ''): string {
  const { baseUrl } = app.serviceManager.serverSettings;
  return URLExt.join(baseUrl, page, URLExt.encodeParts(path));
}

/** The name of the window of a page. */
function windowOf(path: string): string {
  return `flyte:${decodeURIComponent(path)}`;
}
