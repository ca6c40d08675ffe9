import { expect, it } from 'vitest';

import { CHUNK, type LogLine } from '../../model/viewer_logs';
import { lookAfter, marked, pieces, plain } from './ansi';
import { Looks } from './looks';

it('takes colours out of a line', () => {
  expect(pieces('a \x1b[1;32mgreen\x1b[0m b')).toEqual([
    { text: 'a ', classes: '' },
    { text: 'green', classes: 'ansi-bold ansi-fg-green' },
    { text: ' b', classes: '' }
  ]);
});

it('knows palettes, true colours, bright ones, backgrounds, and both the other way round', () => {
  const look = (codes: string) => pieces(`\x1b[${codes}mx`)[0];
  expect(look('38;5;196')).toEqual({ text: 'x', classes: '', color: 'rgb(255,0,0)' });
  expect(look('38;5;9').classes).toBe('ansi-fg-red-bright');
  expect(look('48;5;244').background).toBe('rgb(128,128,128)');
  expect(look('38;2;1;2;300').color).toBe('rgb(1,2,255)');
  expect(look('94;41').classes).toBe('ansi-fg-blue-bright ansi-bg-red');
  expect(look('31;7').classes).toBe('ansi-fg-inverse ansi-bg-red');
  expect(look('31;39;1;22;4;24').classes).toBe('');
  expect(look('38;5').color).toBe(undefined);
});

it('leaves out whatever else terminals are told, and what would hide or turn text around', () => {
  expect(plain('\x1b]0;title\x07a\x1b[2K\x1b[1Gb\x1b(Bc\x07\u202ed\x1b[')).toBe('abcd');
  expect(plain('\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\')).toBe('link');
  expect(plain('<b>&amp;</b>\t1')).toBe('<b>&amp;</b>\t1');
  expect(pieces('')).toEqual([]);
});

it('marks what is searched for, also across colours', () => {
  expect(marked(pieces('an \x1b[31merr\x1b[0mor, ERROR'), 'error')).toEqual([
    { text: 'an ', classes: '' },
    { text: 'err', classes: 'ansi-fg-red found' },
    { text: 'or', classes: 'found' },
    { text: ', ', classes: '' },
    { text: 'ERROR', classes: 'found' }
  ]);
});

it('goes on over the end of a line, and over lines that are not here', () => {
  const line = (text: string): LogLine => [0, 'stdout', text];
  const here = new Map([
    [0, line('\x1b[31mred')],
    [1, line('still \x1b[1mbold')],
    [2, line('\x1b[0mplain')],
    [2 * CHUNK, line('green')],
    [2 * CHUNK + 1, line('\x1b[mplain')],
    [3 * CHUNK - 1, line('\x1b[4m')],
    [3 * CHUNK, line('what comes by the stream')]
  ]);
  const styles = ['', undefined, '\x1b[32m'];
  const looks = new Looks({ line: at => here.get(at), style: chunk => styles[chunk] });
  const seen = (at: number) =>
    pieces(here.get(at)?.[2] ?? '', looks.before(at)).map(p => p.classes);
  expect(seen(0)).toEqual(['ansi-fg-red']);
  expect(seen(1)).toEqual(['ansi-fg-red', 'ansi-bold ansi-fg-red']);
  expect(seen(2)).toEqual(['']);
  expect(seen(2 * CHUNK)).toEqual(['ansi-fg-green']);
  expect(seen(2 * CHUNK + 1)).toEqual(['']);
  expect(looks.before(CHUNK + 5)).toEqual(lookAfter(''));
});
