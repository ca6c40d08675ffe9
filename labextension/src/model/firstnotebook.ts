/** A code or markdown cell of a new notebook. */
export interface INewCell {
  type: 'code' | 'markdown';
  source: string;
}

/**
 * The cells of a notebook to begin with: they run as they are.
 *
 * @param profile - where it runs: '' for what the settings file says, "local", "remote", or the name of a queue.
 */
export function firstCells(profile: string): INewCell[] {
  const isMode = profile === 'local' || profile === 'remote';
  const init = isMode ? `flyte.init(mode="${profile}")\n` : '';
  const queue = profile && !isMode ? `, queue=${JSON.stringify(profile)}` : '';
  return [
    {
      type: 'markdown',
      source:
        '# A Flyte notebook\n\n' +
        'A task is a function with annotations. It runs in a process of its own, and its card shows what happens.'
    },
    {
      type: 'code',
      source:
        '%load_ext flyte_jupyter\nimport flyte_jupyter as flyte\n\n' +
        `${init}env = flyte.TaskEnvironment(name="first"${queue})`
    },
    {
      type: 'code',
      source:
        '@env.task\n' +
        'def square(x: int) -> int:\n' +
        '    print(f"the square of {x}")\n' +
        '    return x * x'
    },
    { type: 'code', source: 'flyte.run(square, x=7)' }
  ];
}
