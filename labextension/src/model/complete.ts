import { MAGICS, OPTIONS } from '../api/generated';

/** What can stand at the cursor. */
export interface ICompletions {
  /** Where that which is there already begins, as a character of the line. */
  from: number;
  items: { text: string; kind: string; help: string }[];
}

/** Names that the cells of a notebook give. */
export interface IKnown {
  environments: readonly string[];
  tasks: readonly string[];
}

const LINE = /^\s*(?:[\w.,\s]*=\s*)?(%{1,2}\w*)(\s.*)?$/;

/**
 * For a line of one of our magics up to the cursor; null for other lines.
 *
 * A kernel that has our magics knows more; this is for one that has not, and for a notebook without a kernel.
 */
export function complete(before: string, known: IKnown): ICompletions | null {
  const line = LINE.exec(before);
  if (line === null) {
    return null;
  }
  const [, written, rest] = line;
  if (rest === undefined) {
    const names = MAGICS.filter(magic => isLike(magic.written, written));
    const items = names.map(magic => ({ text: magic.written, kind: 'magic', help: '' }));
    return items.length ? { from: before.length - written.length, items } : null;
  }
  const magic = MAGICS.find(each => each.written === written);
  if (magic === undefined) {
    return null;
  }
  const words = rest.trimStart().split(/\s+/);
  const fragment = words.pop() ?? '';
  const equals = fragment.indexOf('=');
  const open = equals > 0 ? fragment.slice(0, equals) : (words[words.length - 1] ?? '');
  const value = equals > 0 ? fragment.slice(equals + 1) : fragment;
  if (magic.options.includes(open) && OPTIONS[open].metavar) {
    return matching(before, value.split(',').pop() ?? '', valuesOf(open, known));
  }
  if (fragment.startsWith('-')) {
    const given = new Set(words.map(word => word.split('=')[0]));
    const left = magic.options.filter(name => OPTIONS[name].joined || !given.has(name));
    const items = left.map(name => ({ text: name, kind: 'option', help: OPTIONS[name].help }));
    return matching(before, fragment, items);
  }
  return magic.takesCode && !words.length
    ? matching(before, fragment, named(known.tasks, 'task'))
    : null;
}

function valuesOf(option: string, known: IKnown): ICompletions['items'] {
  return option === '--env'
    ? named(known.environments, 'environment')
    : named(OPTIONS[option].choices, 'choice');
}

function named(names: readonly string[], kind: string): ICompletions['items'] {
  return [...new Set(names)].map(text => ({ text, kind, help: '' }));
}

function matching(
  before: string,
  fragment: string,
  items: ICompletions['items']
): ICompletions | null {
  const found = items.filter(item => item.text.startsWith(fragment));
  return found.length ? { from: before.length - fragment.length, items: found } : null;
}

/** Whether a magic is meant by its beginning; one percent sign may stand for two. */
function isLike(magic: string, written: string): boolean {
  const name = written.replace(/^%+/, '');
  return name !== '' && magic.replace(/^%+/, '').startsWith(name);
}
