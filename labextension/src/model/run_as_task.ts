import type { IDeclared } from '../api/generated';

/** What running a cell as a task comes to. */
export type Plan =
  /** The cell gets another source, and runs. */
  | { kind: 'wrap'; source: string }
  /** It is a task already. */
  | { kind: 'run' }
  /** It declares one, which this line calls. */
  | { kind: 'call'; code: string }
  /** There is nothing to run. */
  | { kind: 'refused'; why: 'empty' | 'no-task' }
  | { kind: 'refused'; why: 'magic'; magic: string };

/** Cell magics that may stand above `%%flyte_task`. */
const AROUND = /^(?:\s*%%(?:time|capture|prun)\b.*\n)*\s*/;
const TASK = '%%flyte_task';

/**
 * What running a cell as a task comes to.
 *
 * @param declared - what it declares, as far as that is known.
 * @param options - for a cell that is no task yet, such as "--cpu 2".
 * @param task - the variable of the one that is meant; the first one when it is not given.
 */
export function plan(
  source: string,
  declared: readonly IDeclared[],
  options: () => string = () => '',
  task?: string
): Plan {
  const tasks = declared.filter(one => one.kind === 'task');
  const chosen = task === undefined ? tasks[0] : tasks.find(one => one.variable === task);
  if (task !== undefined && chosen === undefined) {
    return { kind: 'refused', why: 'no-task' };
  }
  const above = AROUND.exec(source)?.[0] ?? '';
  const rest = source.slice(above.length);
  const isTask = rest.startsWith(TASK);
  if (!rest) {
    return { kind: 'refused', why: 'empty' };
  }
  if (isTask && (chosen === undefined || lineOf(source, above) === chosen.line)) {
    return { kind: 'run' };
  }
  if (chosen !== undefined) {
    const { variable, needs } = chosen;
    return {
      kind: 'call',
      code: needs.length ? `%flyte_override ${variable}` : `%flyte_run ${variable}()`
    };
  }
  const magic = /^%%\w+/.exec(rest);
  return magic
    ? { kind: 'refused', why: 'magic', magic: magic[0] }
    : { kind: 'wrap', source: `${above}${[TASK, options()].join(' ').trim()}\n${rest}` };
}

function lineOf(source: string, above: string): number {
  return source.slice(0, above.length).split('\n').length - 1;
}
