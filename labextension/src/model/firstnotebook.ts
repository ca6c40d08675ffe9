import { environmentOf, type IProfile } from './profiles';

/** A code or markdown cell of a new notebook. */
export interface INewCell {
  type: 'code' | 'markdown';
  source: string;
}

/**
 * The cells of a notebook to begin with: they run as they are.
 *
 * @param profile - what its environment is; what the settings file says when there is none.
 */
export function firstCells(profile?: IProfile): INewCell[] {
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
        environmentOf(profile, 'first')
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
