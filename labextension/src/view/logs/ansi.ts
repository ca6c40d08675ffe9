/** A piece of a line that looks the same: classes of its look, and colours that are no name. */
export interface IPiece {
  text: string;
  classes: string;
  color?: string;
  background?: string;
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const LEVELS = [0, 95, 135, 175, 215, 255];

const SGR = /\x1b\[([0-9;:]*)m/;
const EVERY_SGR = new RegExp(SGR, 'g');
/** All that begins with escape: commands to the system, control sequences, and the rest. */
const ESCAPES = /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?/g;
/** Controls, and characters that reorder text: a line must not show something else than what it says. */
const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** How text looks from a place on. */
export interface ILook {
  bold: boolean;
  faint: boolean;
  italic: boolean;
  underlined: boolean;
  struck: boolean;
  inverse: boolean;
  fg: string; // the name of a colour, or rgb(…); '' for none
  bg: string;
}

export const PLAIN: ILook = {
  bold: false,
  faint: false,
  italic: false,
  underlined: false,
  struck: false,
  inverse: false,
  fg: '',
  bg: ''
};

/** What is seen of a line: without escape sequences and controls. */
export function plain(line: string): string {
  const bare = line.includes('\x1b') ? line.replace(ESCAPES, '') : line;
  return bare.replace(HIDDEN, '');
}

/** What the escape sequences before a line leave on for it: they count from the end of the line before. */
export function lookAfter(line: string, look: ILook = PLAIN): ILook {
  if (!line.includes('\x1b')) {
    return look;
  }
  return [...line.matchAll(EVERY_SGR)].reduce((now, [, codes]) => change(now, codes), look);
}

/** A line with the escape sequences of terminals, as pieces of text with a look. */
export function pieces(line: string, before: ILook = PLAIN): IPiece[] {
  if (!line.includes('\x1b')) {
    const text = line.replace(HIDDEN, '');
    return text ? [{ text, ...drawn(before) }] : [];
  }
  const parts = line.replace(ESCAPES, found => (SGR.test(found) ? found : '')).split(SGR);
  const out: IPiece[] = [];
  let look = before;
  parts.forEach((part, index) => {
    if (index % 2) {
      look = change(look, part);
      return;
    }
    const text = part.replace(HIDDEN, '');
    if (text) {
      out.push({ text, ...drawn(look) });
    }
  });
  return out;
}

function change(look: ILook, codes: string): ILook {
  const numbers = codes.split(/[;:]/).map(code => Number(code || '0'));
  const next = { ...look };
  for (let i = 0; i < numbers.length; i++) {
    const code = numbers[i];
    if (code === 38 || code === 48) {
      const [colour, used] = extended(numbers.slice(i + 1));
      next[code === 38 ? 'fg' : 'bg'] = colour;
      i += used;
    } else {
      apply(next, code);
    }
  }
  return next;
}

function apply(look: ILook, code: number): void {
  switch (code) {
    case 0:
      Object.assign(look, PLAIN);
      return;
    case 1:
      look.bold = true;
      return;
    case 2:
      look.faint = true;
      return;
    case 3:
    case 23:
      look.italic = code === 3;
      return;
    case 4:
    case 24:
      look.underlined = code === 4;
      return;
    case 7:
    case 27:
      look.inverse = code === 7;
      return;
    case 9:
    case 29:
      look.struck = code === 9;
      return;
    case 22:
      look.bold = look.faint = false;
      return;
    case 39:
      look.fg = '';
      return;
    case 49:
      look.bg = '';
      return;
  }
  const [tens, ones] = [Math.floor(code / 10), code % 10];
  if (ones < 8 && (tens === 3 || tens === 9)) {
    look.fg = NAMES[ones] + (tens === 9 ? '-bright' : '');
  } else if (ones < 8 && (tens === 4 || tens === 10)) {
    look.bg = NAMES[ones] + (tens === 10 ? '-bright' : '');
  }
}

/** A colour of a palette (5;n) or of three numbers (2;r;g;b), and how many numbers it takes. */
function extended(numbers: number[]): [string, number] {
  const [kind, a, b, c] = numbers.map(number => Math.max(0, Math.min(255, number || 0)));
  if (kind === 2) {
    return [`rgb(${a ?? 0},${b ?? 0},${c ?? 0})`, 4];
  }
  return kind === 5 ? [ofPalette(a ?? 0), 2] : ['', 0];
}

function ofPalette(index: number): string {
  if (index < 16) {
    return NAMES[index % 8] + (index < 8 ? '' : '-bright');
  }
  if (index >= 232) {
    const grey = 8 + 10 * (index - 232);
    return `rgb(${grey},${grey},${grey})`;
  }
  const cube = index - 16;
  const level = (by: number) => LEVELS[Math.floor(cube / by) % 6];
  return `rgb(${level(36)},${level(6)},${level(1)})`;
}

function drawn(look: ILook): Omit<IPiece, 'text'> {
  const [fg, bg] = look.inverse ? [look.bg || 'inverse', look.fg || 'inverse'] : [look.fg, look.bg];
  const flags = (['bold', 'faint', 'italic', 'underlined', 'struck'] as const).filter(
    name => look[name]
  );
  const classes = flags.map(name => `ansi-${name}`);
  const out: Omit<IPiece, 'text'> = { classes: '' };
  for (const [colour, place] of [
    [fg, 'fg'],
    [bg, 'bg']
  ]) {
    if (colour.startsWith('rgb')) {
      out[place === 'fg' ? 'color' : 'background'] = colour;
    } else if (colour) {
      classes.push(`ansi-${place}-${colour}`);
    }
  }
  out.classes = classes.join(' ');
  return out;
}

/** Pieces with what is searched for in pieces of its own, of the class `found`. */
export function marked(line: IPiece[], text: string): IPiece[] {
  const wanted = text.toLowerCase();
  if (!wanted) {
    return line;
  }
  const whole = line
    .map(piece => piece.text)
    .join('')
    .toLowerCase();
  const cuts: number[] = []; // where what was found begins and ends, in turn
  for (
    let at = whole.indexOf(wanted);
    at >= 0 && cuts.length < 2000;
    at = whole.indexOf(wanted, at + wanted.length)
  ) {
    cuts.push(at, at + wanted.length);
  }
  const out: IPiece[] = [];
  let position = 0;
  for (const piece of line) {
    const end = position + piece.text.length;
    const inside = [position, ...cuts.filter(cut => cut > position && cut < end), end];
    for (let i = 0; i + 1 < inside.length; i++) {
      const isFound = cuts.filter(cut => cut <= inside[i]).length % 2 === 1;
      const part = piece.text.slice(inside[i] - position, inside[i + 1] - position);
      const classes = isFound ? `${piece.classes} found`.trim() : piece.classes;
      out.push({ ...piece, text: part, classes });
    }
    position = end;
  }
  return out;
}
