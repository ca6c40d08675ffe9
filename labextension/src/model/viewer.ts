import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Client } from '../api/client';
import type { IActionDetail, IReport, IRunDetail, IRunSummary, PhaseName } from '../api/generated';
import type { Stream } from '../api/stream';
import { isOver } from './runs';
import { Soon } from './soon';
import { ActionsModel } from './viewer_actions';
import { LogModel } from './viewer_logs';
import { RowsModel } from './viewer_rows';
import { ROOT_KEY } from './viewer_tree';

/** Milliseconds between two looks at an action that is open: what it uses is told by nobody. */
const LOOK = 2000;

/** What there is to be seen of an action. */
export const TABS = [
  'logs',
  'values',
  'events',
  'resources',
  'configuration',
  'report',
  'code'
] as const;
export type TabName = (typeof TABS)[number];

/** All that a run viewer shows: the run, its actions, and the details of the one that is selected. */
export class ViewerModel implements IDisposable {
  /** @param listed - what is known of a run by the list of all, which is there before its details are. */
  constructor(
    private readonly client: Client,
    private readonly stream: Stream,
    readonly run: string,
    private readonly listed: (run: string) => IRunSummary | undefined = () => undefined
  ) {
    this.actions = new ActionsModel(client, stream, run);
    this.rows = new RowsModel(() => this.actions.all());
    this.actions.changed.connect((_, names) => this.follow(names));
    this.rows.changed.connect(() => this.turn());
  }

  readonly actions: ActionsModel;
  readonly rows: RowsModel;

  /** Told when anything but actions and rows is another. */
  get changed(): ISignal<ViewerModel, void> {
    return this.hasChanged;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /** The run; null while it is not known. */
  get detail(): IRunDetail | null {
    return this.known;
  }

  /** The same in a few words, which are there first; undefined while nothing is known. */
  get summary(): IRunSummary | undefined {
    return this.known?.summary ?? this.listed(this.run);
  }

  /** The selected action; null while it is not known. */
  get action(): IActionDetail | null {
    return this.of;
  }

  /** Where the run stands, by the newest news. */
  get phase(): PhaseName | undefined {
    return this.actions.get(ROOT_KEY)?.phase ?? this.summary?.phase;
  }

  get problem(): string {
    return this.failed || this.actions.problem;
  }

  get tab(): TabName {
    return this.shown;
  }

  set tab(tab: TabName) {
    this.shown = tab;
    this.refresh();
    this.hasChanged.emit();
  }

  /** The attempt whose log and report are shown: the last one, unless another was chosen. */
  get attempt(): number {
    return (
      this.chosen ?? this.of?.row.attempt ?? this.actions.get(this.rows.selected)?.attempt ?? 0
    );
  }

  set attempt(attempt: number) {
    this.chosen = attempt;
    this.turn();
  }

  /** The log of the selected attempt, loaded when it is first asked for. */
  get log(): LogModel {
    const { selected } = this.rows;
    if (
      !this.printed ||
      this.printed.action !== selected ||
      this.printed.attempt !== this.attempt
    ) {
      this.printed?.dispose();
      this.printed = new LogModel(this.client, this.stream, this.run, selected, this.attempt);
      void this.printed.load();
    }
    return this.printed;
  }

  logsUrl(): string {
    return this.client.logsUrl(this.run, this.rows.selected, this.attempt);
  }

  report(): Promise<IReport> {
    return this.client.report(this.run, this.rows.selected, this.attempt);
  }

  async load(): Promise<void> {
    await Promise.all([this.actions.load(), this.loadDetail(), this.loadAction()]);
  }

  dispose(): void {
    this.disposed = true;
    this.soon.cancel();
    clearInterval(this.timer);
    this.actions.dispose();
    this.printed?.dispose();
    Signal.clearData(this);
  }

  /** Look again when there are news of the run or of the selected action. */
  private follow(names: ReadonlySet<string>): void {
    const phase = this.actions.get(ROOT_KEY)?.phase;
    if (names.has(ROOT_KEY) && this.known && this.known.summary.phase !== phase) {
      void this.loadDetail();
    }
    if (names.has(this.rows.selected) && this.of) {
      this.soon.ask();
    }
    this.refresh();
  }

  /** Another action or attempt is shown. */
  private turn(): void {
    if (this.looked !== this.rows.selected) {
      this.looked = this.rows.selected;
      this.of = null;
      this.chosen = undefined;
      this.refresh();
      void this.loadAction();
    }
    this.hasChanged.emit();
  }

  private refresh(): void {
    clearInterval(this.timer);
    const phase = this.actions.get(this.rows.selected)?.phase;
    if (phase !== undefined && !isOver(phase) && !this.disposed) {
      this.timer = setInterval(() => {
        this.printed?.more();
        void this.loadAction();
      }, LOOK);
    }
  }

  private async loadDetail(): Promise<void> {
    try {
      this.known = await this.client.run(this.run);
      this.failed = '';
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error);
    }
    this.hasChanged.emit();
  }

  private async loadAction(): Promise<void> {
    const { selected } = this.rows;
    try {
      const found = await this.client.action(this.run, selected);
      if (selected === this.rows.selected && !this.disposed) {
        this.of = found;
        this.hasChanged.emit();
      }
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error);
      this.hasChanged.emit();
    }
  }

  private readonly hasChanged = new Signal<ViewerModel, void>(this);
  private readonly soon = new Soon(() => void this.loadAction(), 150);
  private timer: ReturnType<typeof setInterval> | undefined;
  private known: IRunDetail | null = null;
  private of: IActionDetail | null = null;
  private looked = ROOT_KEY;
  private printed: LogModel | undefined;
  private chosen: number | undefined;
  private shown: TabName = 'logs';
  private failed = '';
  private disposed = false;
}
