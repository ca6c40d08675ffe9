/** The commands of all of our plugins. Where `run?` is left out, it is that of the active cell, or asked for. */
export namespace CommandIDs {
  /** `{ run?, reason? }`: at once. */
  export const cancel = 'flyte:cancel';
  /** `{ run? }`: after a question. */
  export const confirmCancel = 'flyte:confirm-cancel';
  /** `{ run?, override?, ask? }`; `ask` for what is to be another way. */
  export const rerun = 'flyte:rerun';
  /** `{ run, action? }`: the run viewer. */
  export const openRun = 'flyte:open-run';
  /** The run viewer with the run of the active cell. */
  export const openRunHere = 'flyte:open-run-here';
  /** `{ run, action? }`: the viewer with its logs. */
  export const openLogs = 'flyte:open-logs';
  /** `{ run?, notebook?, cell? }` */
  export const goToCell = 'flyte:go-to-cell';
  /** `{ run?, code? }` */
  export const copyCode = 'flyte:copy-code';
  /** `{ code, label? }`: into a new cell below the active one. */
  export const insertCode = 'flyte:insert-code';
  /** `{ run? }`: `flyte.attach(...)` in a new cell. */
  export const attach = 'flyte:attach';
  export const prune = 'flyte:prune';
  /** `{ cwd? }` */
  export const newNotebook = 'flyte:new-notebook';
  /** `{ task? }`: the sidebar, at its list of runs; of a task, if one is given. */
  export const showRuns = 'flyte:show-runs';
  /** `{ id }` */
  export const shutdownPool = 'flyte:shutdown-pool';
  /** `{ id }` */
  export const activateTrigger = 'flyte:activate-trigger';
  /** `{ id }` */
  export const deactivateTrigger = 'flyte:deactivate-trigger';
  /** `{ id, name? }` */
  export const deleteTrigger = 'flyte:delete-trigger';
  /** `{ cell?, task? }`: a cell of the current notebook, or a task that it declares. */
  export const runAsTask = 'flyte:run-as-task';
  export const settings = 'flyte:settings';
  /** `{ name? }`: '' for none. */
  export const chooseProfile = 'flyte:choose-profile';
}
