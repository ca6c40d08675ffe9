/* The API of the server and the table of parameters; made by `python -m flyte_jupyter.server.generate`. */

/**
 * A run in a list.
 *
 * `reason` is why it waits, or the first line of what went wrong; `attempt` counts from 0.
 * `began` is when its first attempt ran, `ended` when it had ended.
 * `actions` counts the actions that it has called, by phase.
 * `notebook` is the path of its notebook within the server's root, or an absolute one outside of it; `cell` the id of
 * the cell that has started it, `kernel` the id of the kernel; null where that is not known.
 * `can_rerun` says whether there is something that can be run again.
 */
export interface IRunSummary {
  name: string;
  task: string;
  title: string;
  environment: string;
  phase: PhaseName;
  warning: string;
  reason: string;
  created: number;
  began: number | null;
  ended: number | null;
  attempt: number;
  is_cached: boolean;
  actions: Record<string, number>;
  mode: 'local' | 'remote';
  site: string;
  notebook: string | null;
  cell: string | null;
  kernel: string | null;
  trigger: string | null;
  can_rerun: boolean;
}

/** `GET runs`: the newest first; `total` counts all that match, `offset` is of the first one here. */
export interface IRunPage {
  runs: IRunSummary[];
  offset: number;
  total: number;
}

/**
 * `GET notebooks`: a notebook that runs were started in, the last used first; null stands for none.
 *
 * `runs` counts those that match; `last` is the name of the newest.
 */
export interface INotebookRuns {
  notebook: string | null;
  runs: number;
  last: string;
}

/** A parameter that was given, in words, and the level it came from. */
export interface ISetting {
  name: string;
  value: string;
  level: string;
}

/** What a run and the one of the same task before it do not have alike; null where one has nothing. */
export interface IDifference {
  name: string;
  before: string | null;
  after: string | null;
}

/** The run of the same task before this one. */
export interface IPrevious {
  run: string;
  differences: IDifference[];
}

/** What can be done about a run, as a line of code. */
export interface ICommand {
  name: string;
  label: string;
  code: string;
}

/** Where else there is something of it. */
export interface ILink {
  name: string;
  uri: string | null;
}

/** A value in a few words; `html` is foreign: for a frame without scripts, never for the page. */
export interface IPreview {
  text: string;
  html: string | null;
}

/** The code of a task as it was sent; `name` is of the function or the cell. */
export interface ISource {
  name: string;
  text: string;
}

/** `GET runs/RUN`: all that is known of a run and not of its actions. */
export interface IRunDetail {
  summary: IRunSummary;
  description: string;
  docs: string;
  inputs: Record<string, string>;
  result: IPreview | null;
  config: ISetting[];
  notes: string[];
  links: ILink[];
  commands: ICommand[];
  previous: IPrevious | null;
  source: ISource[];
}

/**
 * `GET runs/RUN/card`, and the topic `card:RUN`: the card as a notebook would show it now.
 *
 * `html` is ours and safe to insert; what is foreign in it is within frames without scripts.
 */
export interface ICard {
  run: string;
  phase: PhaseName;
  html: string;
  commands: ICommand[];
}

/** The body of `POST runs/RUN/cancel`. */
export interface ICancel {
  reason: string;
}

/** The body of `POST runs/RUN/rerun`; `override` is such as "retries=3, memory=2Gi". */
export interface IRerun {
  override: string;
}

/** The answer to `POST runs/RUN/rerun`: the name of the new run. */
export interface IStarted {
  run: string;
}

/** A time in one phase; it lasts until the next one begins, or the action ends. */
export interface IStretch {
  phase: PhaseName;
  at: number;
  attempt: number;
  step: string;
}

/** An action of a run, for its timeline and its tree. */
export interface IActionRow {
  name: string;
  parent: string | null;
  task: string;
  title: string;
  phase: PhaseName;
  attempt: number;
  is_cached: boolean;
  history: IStretch[];
  reason: string;
}

/** Why an attempt failed: `kind` is "user" or "system". */
export interface IFailure {
  code: string;
  kind: string;
  message: string;
  traceback: string;
}

/** What an attempt used at a time: cores, and bytes of memory. */
export interface ISample {
  at: number;
  cores: number;
  memory: number;
}

/** One attempt of an action: `printed` counts lines of its log, `report` says whether it has one. */
export interface IAttempt {
  number: number;
  began: number | null;
  ended: number | null;
  failure: IFailure | null;
  printed: number;
  samples: ISample[];
  report: boolean;
}

/**
 * `GET runs/RUN/actions/ACTION`.
 *
 * `requests` and `limits` are what it asks for: cores under "cpu", bytes under "memory", and what else there is.
 * `explanation` is why it is pending or has failed, in sentences; "" for one that runs or has succeeded.
 */
export interface IActionDetail {
  row: IActionRow;
  attempts: IAttempt[];
  requests: Record<string, number>;
  limits: Record<string, number>;
  inputs: Record<string, string>;
  result: IPreview | null;
  notes: string[];
  links: ILink[];
  cache: string;
  replica: string;
  pod: string;
  peak_memory: number | null;
  explanation: string;
}

/**
 * `GET runs/RUN/actions/ACTION/logs`: lines from `start` on, as far as there are some now.
 *
 * A line is [seconds, stream, text]. `total` is how many there are; `is_complete` says that no more will come.
 * `style` has the escape sequences of colours that lines before `start` have left on.
 */
export interface ILogPage {
  attempt: number;
  start: number;
  lines: ([number, string, string])[];
  total: number;
  style: string;
  is_complete: boolean;
}

/** A tab of a report: a whole document, foreign, for a frame without the page's origin. */
export interface ITab {
  title: string;
  document: string;
}

/** `GET runs/RUN/actions/ACTION/report`. */
export interface IReport {
  attempt: number;
  tabs: ITab[];
}

/** `GET environments`: environments that runs were of, the last used first. */
export interface IEnvironment {
  name: string;
  tasks: string[];
  runs: number;
  last: number;
  pools: number;
}

/** A warm process; `idle` is seconds without a call, null for a busy one. */
export interface IReplica {
  number: number;
  pid: number | null;
  calls: number;
  served: number;
  memory: number;
  age: number;
  idle: number | null;
}

/** `GET pools`: the warm processes of an environment. */
export interface IPool {
  id: string;
  environment: string;
  about: string;
  most: number;
  waiting: number;
  served: number;
  replicas: IReplica[];
}

/** `GET queues`: at most `concurrency` attempts of it run at a time; `cluster` is "" for this machine. */
export interface IQueue {
  name: string;
  concurrency: number | null;
  running: number;
  waiting: number;
  cluster: string;
}

/** `GET triggers`: of a task that was deployed; `about` says when it fires, `why_not` why it does not. */
export interface ITrigger {
  id: string;
  name: string;
  task: string;
  about: string;
  is_active: boolean;
  next: number | null;
  last: number | null;
  last_run: string | null;
  why_not: string;
}

/** `GET clusters`: `queue` is the name that leads there, "" for remote runs without one. */
export interface ICluster {
  queue: string;
  context: string;
  namespace: string;
  store: string;
  is_reached: boolean | null;
  said: string;
}

/** `POST prune`: what was deleted, or would be. */
export interface IPruned {
  runs: string[];
  bytes: number;
}

/** The body of `POST triggers/ID`. */
export interface IChangeTrigger {
  do: 'activate' | 'deactivate' | 'delete';
}

/**
 * dict() -> new empty dictionary
 * dict(mapping) -> new dictionary initialized from a mapping object's
 *     (key, value) pairs
 * dict(iterable) -> new dictionary initialized as if via:
 *     d = {}
 *     for k, v in iterable:
 *         d[k] = v
 * dict(**kwargs) -> new dictionary initialized with the name=value pairs
 *     in the keyword argument list.  For example:  dict(one=1, two=2)
 */
export interface I_Days {
  days: number;
}

/** The body of `POST prune`: runs that ended more than so many days ago; with `dry_run` they are only named. */
export interface IPrune {
  days: number;
  dry_run: boolean;
}

/** A code cell of a notebook, as it stands in the editor. */
export interface ICellSource {
  id: string;
  source: string;
}

/** The body of `POST cells`: code cells, in the order of the notebook. */
export interface ICells {
  cells: ICellSource[];
}

/** Something wrong in a line of a magic; `line` counts from 0, `start` and `end` are characters in it. */
export interface IProblem {
  line: number;
  start: number;
  end: number;
  message: string;
}

/**
 * An environment or a task that a cell makes; `line` counts from 0, `about` is what was given, in words.
 *
 * `name` is that of runs: "environment.function"; `variable` is what the notebook calls it, "" for a cell that is a
 * task without a name. `environment` is "" for an environment itself, and for a task whose environment only running
 * the notebook tells. `needs` are the inputs that have to be given to call a task.
 */
export interface IDeclared {
  kind: 'environment' | 'task';
  name: string;
  title: string;
  variable: string;
  environment: string;
  needs: string[];
  line: number;
  about: string;
}

/** What there is in a cell. */
export interface ICellFound {
  id: string;
  declared: IDeclared[];
  problems: IProblem[];
}

/** `POST cells`: what the cells of a notebook declare; nothing of them is executed. */
export interface INotebookFound {
  cells: ICellFound[];
}

/**
 * What a front end sends: the topics that it wants from now on, all others are left out.
 *
 * "runs"; "card:RUN"; "actions:RUN"; "log:RUN/ACTION/ATTEMPT" with the first line that is wanted in
 * `start`, by topic.
 */
export interface IWatch {
  topics: string[];
  start: Record<string, number>;
}

/** The topic "runs": runs that are new or have changed, and the names of those that were deleted. */
export interface IRunsNews {
  topic: 'runs';
  changed: IRunSummary[];
  gone: string[];
}

/** The topic "card:RUN". */
export interface ICardNews {
  topic: 'card';
  card: ICard;
}

/** The topic "actions:RUN": all actions at first, then those that are new or have changed. */
export interface IActionsNews {
  topic: 'actions';
  run: string;
  actions: IActionRow[];
  is_all: boolean;
}

/** The topic "log:RUN/ACTION/ATTEMPT"; `page` goes on where the one before ended. */
export interface ILogNews {
  topic: 'log';
  run: string;
  action: string;
  page: ILogPage;
}

/** What cannot be told, and why; `of` is the topic. Also the body of every answer that is an error. */
export interface IRefused {
  topic: 'refused';
  of: string;
  message: string;
}

export type PhaseName = 'queued' | 'waiting_for_resources' | 'initializing' | 'running' | 'succeeded' | 'failed' | 'aborted' | 'timed_out';

export type News = IRunsNews | ICardNews | IActionsNews | ILogNews | IRefused;

/** What the name of a run looks like. */
export const RUN_NAME = /^r[0-9a-z]{9,40}$/;

/** A parameter of a task, or a field of one: see `flyte_jupyter.config.form`. */
export interface IParameter {
  name: string;
  doc: string;
  levels: string[];
  choices: string[];
  examples: string[];
}

/** All parameters. */
export const PARAMETERS: IParameter[] = [
  {
    "name": "name",
    "doc": "Name of the environment: lower-case letters and digits, in groups joined by single _ or -.",
    "levels": [
      "environment"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "image",
    "doc": "What the task runs in: the URI of an image, an Image, or \"auto\" for the environment of the one who calls.",
    "levels": [
      "environment"
    ],
    "choices": [
      "auto"
    ],
    "examples": [
      "python:3.12-slim"
    ]
  },
  {
    "name": "depends_on",
    "doc": "Environments that are deployed together with this one; it orders and gates nothing.",
    "levels": [
      "environment"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "description",
    "doc": "What the environment is for; longer than 255 characters is cut.",
    "levels": [
      "environment"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "plugin_config",
    "doc": "Configuration of a plugin that runs the task; its type is registered with TaskPluginRegistry.",
    "levels": [
      "environment",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "include",
    "doc": "Files that travel with the code; paths relative to the notebook or module.",
    "levels": [
      "environment"
    ],
    "choices": [],
    "examples": [
      "data/birds.csv"
    ]
  },
  {
    "name": "resources",
    "doc": "CPU, memory, accelerators, disk and shared memory of one attempt; None for the platform's default.",
    "levels": [
      "environment",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "env_vars",
    "doc": "Environment variables of the task's process; replaced whole, never merged.",
    "levels": [
      "environment",
      "override"
    ],
    "choices": [],
    "examples": [
      "LOG_LEVEL=debug"
    ]
  },
  {
    "name": "secrets",
    "doc": "Secrets by name: a str, a Secret or a list of these; the values are never stored.",
    "levels": [
      "environment",
      "override"
    ],
    "choices": [],
    "examples": [
      "api-key",
      "api-key,db-password"
    ]
  },
  {
    "name": "service_account",
    "doc": "Kubernetes service account of the pod.",
    "levels": [
      "environment",
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "cache",
    "doc": "Whether results are kept: \"auto\", \"override\", \"disable\" or a Cache.",
    "levels": [
      "environment",
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "pod_template",
    "doc": "A pod to start from, or the name of one that the platform knows.",
    "levels": [
      "environment",
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "reusable",
    "doc": "Warm processes for the environment: a ReusePolicy; in an override also \"off\".",
    "levels": [
      "environment",
      "override"
    ],
    "choices": [
      "off"
    ],
    "examples": []
  },
  {
    "name": "interruptible",
    "doc": "Whether the task may run on machines that can be taken away.",
    "levels": [
      "environment",
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "queue",
    "doc": "The queue that the task waits in.",
    "levels": [
      "environment",
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "short_name",
    "doc": "The name that is shown; the name of the function when not given.",
    "levels": [
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "retries",
    "doc": "How often the task is tried again: a number, or a RetryStrategy.",
    "levels": [
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": [
      "3"
    ]
  },
  {
    "name": "timeout",
    "doc": "How long one attempt may run: seconds or a timedelta, 0 for no bound; or a Timeout.",
    "levels": [
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": [
      "60",
      "1h"
    ]
  },
  {
    "name": "max_inline_io_bytes",
    "doc": "Bytes that the inputs, and the outputs, may have when they are passed by value; 0 for no bound.",
    "levels": [
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": [
      "104857600"
    ]
  },
  {
    "name": "links",
    "doc": "Links that are shown with the task's runs.",
    "levels": [
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "report",
    "doc": "Whether what the task logs with `flyte.report` is written by itself, while it runs and at its end.",
    "levels": [
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "triggers",
    "doc": "What starts the task by itself: a Trigger or several.",
    "levels": [
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "docs",
    "doc": "Documentation of the task; its docstring when not given.",
    "levels": [
      "decorator"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "entrypoint",
    "doc": "Whether the task is meant to be started by a user.",
    "levels": [
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  },
  {
    "name": "produces_artifacts",
    "doc": "Whether outputs of the task are artifacts.",
    "levels": [
      "decorator",
      "override"
    ],
    "choices": [],
    "examples": []
  }
];

/** An option of a magic: what stands for its value ("" for none), its help, words that its value can be. */
export interface IOption {
  metavar: string;
  help: string;
  choices: string[];
  joined: boolean;
}

/** A magic: how it is written, whether its first word is Python, and its options. */
export interface IMagic {
  written: string;
  takesCode: boolean;
  options: string[];
}

/** All options of magics. */
export const OPTIONS: Record<string, IOption> = {
  "--env": {
    "metavar": "NAME",
    "help": "The environment: a variable, or its name; \"notebook\" when not given.",
    "choices": [],
    "joined": false
  },
  "--inputs": {
    "metavar": "NAME[,NAME...]",
    "help": "The inputs, instead of those that the cell reads.",
    "choices": [],
    "joined": true
  },
  "--output": {
    "metavar": "NAME[,NAME...]",
    "help": "Variables to take over into the notebook.",
    "choices": [],
    "joined": true
  },
  "--background": {
    "metavar": "",
    "help": "Do not wait.",
    "choices": [],
    "joined": false
  },
  "--dry-run": {
    "metavar": "",
    "help": "Show what would go along, the configuration and what would be asked for; run nothing.",
    "choices": [],
    "joined": false
  },
  "--local": {
    "metavar": "",
    "help": "Run it in the kernel, for debugging: breakpoint() and %debug work, the tasks that it calls run there too. Of its configuration only env_vars count.",
    "choices": [],
    "joined": false
  },
  "--mode": {
    "metavar": "MODE",
    "help": "Where: local for this machine, remote for pods in the cluster; not given, as flyte.init, the settings file or the queue say.",
    "choices": [
      "local",
      "remote"
    ],
    "joined": false
  },
  "--overwrite-cache": {
    "metavar": "",
    "help": "Run all of its tasks, and replace what is cached.",
    "choices": [],
    "joined": false
  },
  "--disable-run-cache": {
    "metavar": "",
    "help": "Read nothing from the cache, and put nothing there.",
    "choices": [],
    "joined": false
  },
  "--labels": {
    "metavar": "NAME=VALUE[,...]",
    "help": "Of the run, for finding it.",
    "choices": [],
    "joined": true
  },
  "--custom-context": {
    "metavar": "NAME=VALUE[,...]",
    "help": "Text by name that every task of the run can read.",
    "choices": [],
    "joined": true
  },
  "--strict": {
    "metavar": "",
    "help": "Refuse what cannot be done there, instead of saying so on the card.",
    "choices": [],
    "joined": false
  },
  "--help": {
    "metavar": "",
    "help": "Show this help.",
    "choices": [],
    "joined": false
  },
  "--resources": {
    "metavar": "FIELD=VALUE,...",
    "help": "CPU, memory, accelerators, disk and shared memory of one attempt; None for the platform's default.",
    "choices": [],
    "joined": false
  },
  "--cpu": {
    "metavar": "CORES",
    "help": "Cores; two are request and limit. Such as 2, 500m or 1..2.",
    "choices": [],
    "joined": false
  },
  "--memory": {
    "metavar": "SIZE",
    "help": "A Kubernetes quantity; two are request and limit. Such as 512Mi or 1Gi..2Gi.",
    "choices": [],
    "joined": false
  },
  "--gpu": {
    "metavar": "GPU",
    "help": "How many accelerators, a type and how many, or a `Device` such as `GPU(\"A100\", 1, \"1g.5gb\")`; 0 is none. Such as 1 or T4:1.",
    "choices": [
      "A2:1",
      "GB10:1",
      "RTX_PRO_4500:1",
      "RTX_PRO_6000:1",
      "A10:1",
      "A10G:1",
      "A100:1",
      "A100_80G:1",
      "B200:1",
      "H100:1",
      "H200:1",
      "L4:1",
      "L40s:1",
      "T4:1",
      "V100:1",
      "T4 shared:1",
      "L4 shared:1",
      "A10G shared:1",
      "A10 shared:1",
      "L40S shared:1",
      "Trn1:1",
      "Trn1n:1",
      "Trn2:1",
      "Trn2u:1",
      "Inf1:1",
      "Inf2:1",
      "MI100:1",
      "MI210:1",
      "MI250:1",
      "MI250X:1",
      "MI300A:1",
      "MI300X:1",
      "MI325X:1",
      "MI350X:1",
      "MI355X:1",
      "Gaudi1:1",
      "AppleSilicon:1",
      "V5E:1",
      "V5P:1",
      "V6E:1"
    ],
    "joined": false
  },
  "--disk": {
    "metavar": "SIZE",
    "help": "Scratch space, a Kubernetes quantity. Such as 10Gi.",
    "choices": [],
    "joined": false
  },
  "--shm": {
    "metavar": "SIZE",
    "help": "Size of /dev/shm, a Kubernetes quantity, or \"auto\" for as much as the memory allows. Such as 1Gi.",
    "choices": [
      "auto"
    ],
    "joined": false
  },
  "--env-vars": {
    "metavar": "NAME=VALUE,...",
    "help": "Environment variables of the task's process; replaced whole, never merged. Such as LOG_LEVEL=debug.",
    "choices": [],
    "joined": true
  },
  "--secrets": {
    "metavar": "GROUP/KEY=NAME,...",
    "help": "Secrets by name: a str, a Secret or a list of these; the values are never stored. Such as api-key or api-key,db-password.",
    "choices": [],
    "joined": true
  },
  "--service-account": {
    "metavar": "TEXT",
    "help": "Kubernetes service account of the pod.",
    "choices": [],
    "joined": false
  },
  "--cache": {
    "metavar": "WORD or FIELD=VALUE,...",
    "help": "Whether results are kept: \"auto\", \"override\", \"disable\" or a Cache. One of: auto, override, disable.",
    "choices": [
      "auto",
      "override",
      "disable"
    ],
    "joined": false
  },
  "--pod-template": {
    "metavar": "TEXT",
    "help": "A pod to start from, or the name of one that the platform knows.",
    "choices": [],
    "joined": false
  },
  "--reusable": {
    "metavar": "off or REPLICAS or FIELD=VALUE,...",
    "help": "Warm processes for the environment: a ReusePolicy; in an override also \"off\".",
    "choices": [],
    "joined": false
  },
  "--interruptible": {
    "metavar": "",
    "help": "Whether the task may run on machines that can be taken away.",
    "choices": [
      "true",
      "false"
    ],
    "joined": false
  },
  "--queue": {
    "metavar": "TEXT",
    "help": "The queue that the task waits in.",
    "choices": [],
    "joined": false
  },
  "--short-name": {
    "metavar": "TEXT",
    "help": "The name that is shown; the name of the function when not given.",
    "choices": [],
    "joined": false
  },
  "--retries": {
    "metavar": "COUNT or FIELD=VALUE,...",
    "help": "How often the task is tried again: a number, or a RetryStrategy. Such as 3.",
    "choices": [],
    "joined": false
  },
  "--timeout": {
    "metavar": "MAX_RUNTIME or FIELD=VALUE,...",
    "help": "How long one attempt may run: seconds or a timedelta, 0 for no bound; or a Timeout. Such as 60 or 1h.",
    "choices": [],
    "joined": false
  },
  "--max-inline-io-bytes": {
    "metavar": "N",
    "help": "Bytes that the inputs, and the outputs, may have when they are passed by value; 0 for no bound. Such as 104857600.",
    "choices": [],
    "joined": false
  },
  "--report": {
    "metavar": "",
    "help": "Whether what the task logs with `flyte.report` is written by itself, while it runs and at its end.",
    "choices": [
      "true",
      "false"
    ],
    "joined": false
  },
  "--docs": {
    "metavar": "TEXT",
    "help": "Documentation of the task; its docstring when not given.",
    "choices": [],
    "joined": false
  },
  "--entrypoint": {
    "metavar": "",
    "help": "Whether the task is meant to be started by a user.",
    "choices": [
      "true",
      "false"
    ],
    "joined": false
  },
  "--produces-artifacts": {
    "metavar": "",
    "help": "Whether outputs of the task are artifacts.",
    "choices": [
      "true",
      "false"
    ],
    "joined": false
  },
  "--plugin-config": {
    "metavar": "{PYTHON}",
    "help": "Configuration of a plugin that runs the task; its type is registered with TaskPluginRegistry. A Python expression.",
    "choices": [],
    "joined": false
  },
  "--links": {
    "metavar": "{PYTHON}",
    "help": "Links that are shown with the task's runs. A Python expression.",
    "choices": [],
    "joined": false
  },
  "--triggers": {
    "metavar": "{PYTHON}",
    "help": "What starts the task by itself: a Trigger or several. A Python expression.",
    "choices": [],
    "joined": false
  },
  "--image": {
    "metavar": "URI",
    "help": "What the task runs in: the URI of an image, an Image, or \"auto\" for the environment of the one who calls. Such as python:3.12-slim.",
    "choices": [
      "auto"
    ],
    "joined": false
  },
  "--description": {
    "metavar": "TEXT",
    "help": "What the environment is for; longer than 255 characters is cut.",
    "choices": [],
    "joined": false
  },
  "--include": {
    "metavar": "NAME,...",
    "help": "Files that travel with the code; paths relative to the notebook or module. Such as data/birds.csv.",
    "choices": [],
    "joined": true
  },
  "--depends-on": {
    "metavar": "{PYTHON}",
    "help": "Environments that are deployed together with this one; it orders and gates nothing. A Python expression.",
    "choices": [],
    "joined": false
  },
  "--number": {
    "metavar": "NUMBER",
    "help": "How many.",
    "choices": [],
    "joined": false
  },
  "--cluster": {
    "metavar": "",
    "help": "Those that are in the cluster, also of your other machines.",
    "choices": [],
    "joined": false
  },
  "--follow": {
    "metavar": "",
    "help": "Go on until it has ended; interrupting stops this, not the run.",
    "choices": [],
    "joined": false
  },
  "--lines": {
    "metavar": "NUMBER",
    "help": "The last so many, 200 when not given; or all.",
    "choices": [
      "all"
    ],
    "joined": false
  },
  "--attempt": {
    "metavar": "NUMBER",
    "help": "Of one attempt, counted from 0, instead of the last.",
    "choices": [],
    "joined": false
  },
  "--action": {
    "metavar": "ACTION",
    "help": "Of a task that it called: its title, or the name of the action.",
    "choices": [],
    "joined": false
  },
  "--all": {
    "metavar": "",
    "help": "All that are open, of other notebooks too.",
    "choices": [],
    "joined": false
  },
  "--notebook": {
    "metavar": "FILE",
    "help": "Of this notebook file instead, as it is saved.",
    "choices": [],
    "joined": false
  },
  "--flyte": {
    "metavar": "",
    "help": "For Flyte's own package: `import flyte`.",
    "choices": [],
    "joined": false
  },
  "--force": {
    "metavar": "",
    "help": "Replace a file that was not written by this.",
    "choices": [],
    "joined": false
  }
};

/** All magics. */
export const MAGICS: IMagic[] = [
  {
    "written": "%%flyte_task",
    "takesCode": false,
    "options": [
      "--env",
      "--inputs",
      "--output",
      "--background",
      "--dry-run",
      "--local",
      "--mode",
      "--overwrite-cache",
      "--disable-run-cache",
      "--labels",
      "--custom-context",
      "--strict",
      "--help",
      "--resources",
      "--cpu",
      "--memory",
      "--gpu",
      "--disk",
      "--shm",
      "--env-vars",
      "--secrets",
      "--service-account",
      "--cache",
      "--pod-template",
      "--reusable",
      "--interruptible",
      "--queue",
      "--short-name",
      "--retries",
      "--timeout",
      "--max-inline-io-bytes",
      "--report",
      "--docs",
      "--entrypoint",
      "--produces-artifacts",
      "--plugin-config",
      "--links",
      "--triggers"
    ]
  },
  {
    "written": "%flyte_env",
    "takesCode": false,
    "options": [
      "--help",
      "--image",
      "--description",
      "--include",
      "--resources",
      "--cpu",
      "--memory",
      "--gpu",
      "--disk",
      "--shm",
      "--env-vars",
      "--secrets",
      "--service-account",
      "--cache",
      "--pod-template",
      "--reusable",
      "--interruptible",
      "--queue",
      "--depends-on",
      "--plugin-config"
    ]
  },
  {
    "written": "%flyte_run",
    "takesCode": true,
    "options": [
      "--background",
      "--dry-run",
      "--local",
      "--mode",
      "--overwrite-cache",
      "--disable-run-cache",
      "--labels",
      "--custom-context",
      "--strict",
      "--help",
      "--resources",
      "--cpu",
      "--memory",
      "--gpu",
      "--disk",
      "--shm",
      "--env-vars",
      "--secrets",
      "--service-account",
      "--cache",
      "--pod-template",
      "--reusable",
      "--interruptible",
      "--queue",
      "--short-name",
      "--retries",
      "--timeout",
      "--max-inline-io-bytes",
      "--report",
      "--entrypoint",
      "--produces-artifacts",
      "--plugin-config",
      "--links",
      "--triggers"
    ]
  },
  {
    "written": "%flyte_override",
    "takesCode": true,
    "options": [
      "--background",
      "--dry-run",
      "--local",
      "--mode",
      "--overwrite-cache",
      "--disable-run-cache",
      "--labels",
      "--custom-context",
      "--strict",
      "--help",
      "--resources",
      "--cpu",
      "--memory",
      "--gpu",
      "--disk",
      "--shm",
      "--env-vars",
      "--secrets",
      "--service-account",
      "--cache",
      "--pod-template",
      "--reusable",
      "--interruptible",
      "--queue",
      "--short-name",
      "--retries",
      "--timeout",
      "--max-inline-io-bytes",
      "--report",
      "--entrypoint",
      "--produces-artifacts",
      "--plugin-config",
      "--links",
      "--triggers"
    ]
  },
  {
    "written": "%flyte_runs",
    "takesCode": false,
    "options": [
      "--number",
      "--cluster",
      "--help"
    ]
  },
  {
    "written": "%flyte_logs",
    "takesCode": false,
    "options": [
      "--follow",
      "--lines",
      "--attempt",
      "--action",
      "--help"
    ]
  },
  {
    "written": "%flyte_cancel",
    "takesCode": false,
    "options": [
      "--all",
      "--help"
    ]
  },
  {
    "written": "%flyte_config",
    "takesCode": false,
    "options": [
      "--help"
    ]
  },
  {
    "written": "%flyte_doctor",
    "takesCode": false,
    "options": [
      "--help"
    ]
  },
  {
    "written": "%flyte_export",
    "takesCode": false,
    "options": [
      "--notebook",
      "--flyte",
      "--force",
      "--help"
    ]
  }
];
