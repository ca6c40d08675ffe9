import type {
  IActionDetail,
  IActionRow,
  ICard,
  ICellSource,
  ICluster,
  IEnvironment,
  ILogPage,
  INotebookFound,
  INotebookRuns,
  IPool,
  IPruned,
  IQueue,
  IReport,
  IRunDetail,
  IRunPage,
  ITrigger
} from './generated';

/** Sends a request to a path below that of our server extension. */
export type Request = (path: string, init: RequestInit) => Promise<Response>;

type Query = Record<string, string | number | boolean | undefined>;

/** What it means when an address is not known, and it is not our extension that says so. */
const MISSING =
  'The Jupyter server does not know flyte_jupyter: "jupyter server extension list" says why. ' +
  'After an installation it has to be started again.';

/** An answer that is an error; its message is for people. */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    message: string
  ) {
    super(message);
    this.name = 'ServerError';
  }
}

/** The REST part of our server; see `openapi.json` there. Every method rejects with `ServerError`. */
export class Client {
  /** @param url - of a path, for links that the browser itself follows. */
  constructor(
    private readonly request: Request,
    readonly url: (path: string) => string
  ) {}

  runs(query: Query = {}): Promise<IRunPage> {
    return this.get('runs', query);
  }

  /** The notebooks that runs were started in, with how many there are of each. */
  notebooks(query: Query = {}): Promise<INotebookRuns[]> {
    return this.get('notebooks', query);
  }

  run(run: string): Promise<IRunDetail> {
    return this.get(`runs/${run}`);
  }

  card(run: string): Promise<ICard> {
    return this.get(`runs/${run}/card`);
  }

  actions(run: string): Promise<IActionRow[]> {
    return this.get(`runs/${run}/actions`);
  }

  action(run: string, action: string): Promise<IActionDetail> {
    return this.get(`runs/${run}/actions/${action}`);
  }

  logs(run: string, action: string, query: Query = {}): Promise<ILogPage> {
    return this.get(`runs/${run}/actions/${action}/logs`, query);
  }

  /** Where all lines of an attempt can be saved from. */
  logsUrl(run: string, action: string, attempt: number): string {
    return this.url(`runs/${run}/actions/${action}/logs/download?attempt=${attempt}`);
  }

  report(run: string, action: string, attempt: number): Promise<IReport> {
    return this.get(`runs/${run}/actions/${action}/report`, { attempt });
  }

  cancel(run: string, reason = ''): Promise<unknown> {
    return this.post(`runs/${run}/cancel`, { reason });
  }

  /** @param override - as in `%flyte_rerun`, such as "retries=3, resources=memory=2Gi"; '' for as it was. */
  rerun(run: string, override = ''): Promise<{ run: string }> {
    return this.post(`runs/${run}/rerun`, override ? { override } : {});
  }

  environments(): Promise<IEnvironment[]> {
    return this.get('environments');
  }

  pools(): Promise<IPool[]> {
    return this.get('pools');
  }

  shutdown(pool: string): Promise<unknown> {
    return this.post(`pools/${encodeURIComponent(pool)}/shutdown`, {});
  }

  queues(): Promise<IQueue[]> {
    return this.get('queues');
  }

  triggers(): Promise<ITrigger[]> {
    return this.get('triggers');
  }

  change(trigger: string, what: 'activate' | 'deactivate' | 'delete'): Promise<unknown> {
    return this.post(`triggers/${encodeURIComponent(trigger)}`, { do: what });
  }

  clusters(): Promise<ICluster[]> {
    return this.get('clusters');
  }

  /** What cells declare, and what is wrong in their magics; nothing of them is executed. */
  cells(cells: ICellSource[]): Promise<INotebookFound> {
    return this.post('cells', { cells });
  }

  /** Delete runs that ended more than so many days ago; with `dryRun` only say which. */
  prune(days: number, dryRun: boolean): Promise<IPruned> {
    return this.post('prune', { days, dry_run: dryRun });
  }

  private get<T>(path: string, query: Query = {}): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const text = new URLSearchParams(
      given.map(([name, value]) => [name, String(value)])
    ).toString();
    return this.ask(text ? `${path}?${text}` : path, { method: 'GET' });
  }

  private post<T>(path: string, body: object): Promise<T> {
    return this.ask(path, { method: 'POST', body: JSON.stringify(body) });
  }

  private async ask<T>(path: string, init: RequestInit): Promise<T> {
    const answer = await this.request(path, init);
    const text = await answer.text();
    if (!answer.ok) {
      const { topic, message } = errorOf(text);
      const isOurs = topic === 'refused';
      const said = typeof message === 'string' && message ? message : answer.statusText;
      throw new ServerError(answer.status, answer.status === 404 && !isOurs ? MISSING : said);
    }
    return JSON.parse(text) as T;
  }
}

function errorOf(text: string): { topic?: unknown; message?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as { topic?: unknown; message?: unknown };
  } catch {
    return {}; // an error of a proxy, as HTML
  }
}
