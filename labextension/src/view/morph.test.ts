// @vitest-environment jsdom
import { expect, test } from 'vitest';

import { morph } from './morph';

function element(html: string): HTMLElement {
  const made = document.createElement('div');
  made.innerHTML = html;
  return made;
}

function morphed(before: string, after: string, act: (target: HTMLElement) => void = () => {}) {
  const target = element(before);
  document.body.replaceChildren(target);
  act(target);
  morph(target, element(after), node => node instanceof Element && node.matches('.ours'));
  return target;
}

const LOG = (lines: string, open = '') =>
  `<details${open}><summary>Log: ${lines.length} lines</summary><pre>${lines}</pre></details>`;

test.each([
  ['', '<p>a</p>'],
  ['<p>a</p>', ''],
  ['a<b>b</b>c', 'a<i>b</i>c'],
  ['<ul><li>1</li><li>2</li></ul>', '<ul><li>0</li><li>1</li><li>2</li><li>3</li></ul>'],
  ['<p class="x" title="y">a</p>', '<p class="x" data-phase="z">b</p>'],
  ['<div class="fr-sec"><b class="fr-label">A</b></div>x<!--c-->', 'x<p></p><!--d-->'],
  [
    '<svg viewBox="0 0 1 1"><path d="M0 0"></path></svg>',
    '<svg viewBox="0 0 2 2"><path d="M1 1"></path></svg>'
  ],
  ['<a></a><b></b><a></a><i></i>', '<b></b><i></i><a></a><b></b>']
])('%s becomes %s', (before, after) => {
  expect(morphed(before, after).innerHTML).toBe(after);
});

test('what somebody has opened or closed stays so', () => {
  const opened = morphed(LOG('a'), LOG('ab'), of =>
    of.querySelector('details')!.setAttribute('open', '')
  );
  morph(opened, element(LOG('abc')), () => false);
  expect(opened.querySelector('details')!.open).toBe(true);
});

test('what nobody has touched opens and closes as the card does', () => {
  const target = document.createElement('div');
  morph(target, element(LOG('a', ' open=""')), () => false);
  expect(target.querySelector('details')!.open).toBe(true);
  morph(target, element(LOG('ab')), () => false);
  expect(target.querySelector('details')!.open).toBe(false);
});

test('sections are known by what they are called, wherever they are', () => {
  const target = document.createElement('div');
  const after = `<details><summary>Report</summary></details>${LOG('ab')}`;
  morph(target, element(LOG('a')), () => false);
  const log = target.querySelector('details')!;
  log.open = true;
  morph(target, element(after), () => false);
  const [report, same] = target.querySelectorAll('details');
  expect([report.open, same.open, same === log]).toEqual([false, true, true]);
});

test('actions are known by their names', () => {
  const row = (name: string, open = '') =>
    `<li data-action="${name}"><details${open}><summary>square</summary></details></li>`;
  const target = document.createElement('ul');
  morph(target, element(row('a1') + row('a2')), () => false);
  target.querySelectorAll('details')[1].open = true;
  morph(target, element(row('a2') + row('a3')), () => false);
  expect(target.innerHTML).toBe(row('a2', ' open=""') + row('a3'));
});

test('a text changes only where it is another one, so that what is selected stays', () => {
  const target = element('<pre>one\ntwo\n</pre>');
  document.body.replaceChildren(target);
  const text = target.querySelector('pre')!.firstChild!;
  const range = document.createRange();
  range.setStart(text, 4);
  range.setEnd(text, 7);
  morph(target, element('<pre>one\ntwo\nthree\n</pre>'), () => false);
  expect([range.toString(), text.nodeValue]).toEqual(['two', 'one\ntwo\nthree\n']);
});

test('what has the focus keeps it', () => {
  const target = morphed(
    '<p>a</p><summary tabindex="0">x</summary>',
    '<summary tabindex="0">y</summary>',
    of => of.querySelector('summary')!.focus()
  );
  expect(document.activeElement).toBe(target.querySelector('summary'));
});

test('what is ours stays at the end', () => {
  const target = morphed('a<span class="ours">1</span>', '<b>a</b>c');
  expect(target.innerHTML).toBe('<b>a</b>c<span class="ours">1</span>');
});

test('a frame whose document is the same is not touched', () => {
  const target = document.createElement('div');
  morph(target, element('<p>1</p><iframe srcdoc="x"></iframe>'), () => false);
  const frame = target.querySelector('iframe');
  const seen: MutationRecord[] = [];
  const observer = new MutationObserver(() => {});
  observer.observe(target, { childList: true, subtree: true, attributes: true });
  morph(target, element('<p>1</p><p>2</p><iframe srcdoc="x"></iframe>'), () => false);
  seen.push(...observer.takeRecords());
  expect(target.querySelector('iframe')).toBe(frame);
  expect(seen.map(each => [each.type, each.target === target])).toEqual([['childList', true]]);
});
