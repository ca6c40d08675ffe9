/** The words of a line of one of our magics, for showing them; what they mean only Python knows. */

export type WordKind = 'magic' | 'option' | 'value' | 'text' | 'comment';

export interface IWord {
  from: number;
  to: number;
  kind: WordKind;
}

/** A line that begins with a magic of ours, perhaps with its value assigned. */
export const MAGIC = /^(\s*(?:[\w.,[\]'" ]*?[\w\]] *= *)?)(%{1,2}flyte_\w+)/;
/** Magics whose first word is Python. */
const TAKES_CODE = /flyte_(?:run|override)$/;
const WORD =
  /(#.*$)|(-{1,2}[A-Za-z][\w-]*)(?==|\s|$)|("[^"]*"?|'[^']*'?)|(\{[^}]*\}(?=\s|$)|[^\s='"]+|=)/g;

/** What stands in a line, as characters of it; nothing for other lines. */
export function words(line: string): IWord[] {
  const magic = MAGIC.exec(line);
  if (magic === null) {
    return [];
  }
  let at = magic[0].length;
  const found: IWord[] = [{ from: magic[1].length, to: at, kind: 'magic' }];
  if (TAKES_CODE.test(magic[2])) {
    at += line.slice(at).search(/\s-{1,2}[A-Za-z]|\s#|$/);
  }
  for (const part of line.slice(at).matchAll(WORD)) {
    const from = at + part.index;
    const kind = part[1] ? 'comment' : part[2] ? 'option' : part[3] ? 'text' : 'value';
    found.push({ from, to: from + part[0].length, kind });
  }
  return found;
}

/** A cell in which the lines of all magics are blank and as long as before, so that the rest can be read as Python. */
export function python(source: string): string {
  return source
    .split('\n')
    .map(line =>
      /^\s*(?:[\w.,[\]'" ]*?[\w\]] *= *)?[%!]/.test(line) ? ' '.repeat(line.length) : line
    )
    .join('\n');
}
