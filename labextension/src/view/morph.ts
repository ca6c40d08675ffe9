/** What a `<details>` was told to be; where it is otherwise, somebody has opened or closed it. */
const told = new WeakMap<Element, boolean>();

/**
 * Make an element like another one, changing as little as possible: what is open, focused, selected, scrolled or loaded
 * in it stays. No element is moved.
 *
 * @param wanted - is used up.
 * @param isOurs - whether a node of the target is none of what is wanted and stays, at the end of its parent.
 */
export function morph(target: Element, wanted: Element, isOurs: (node: Node) => boolean): void {
  attributes(target, wanted);
  const coming = [...wanted.childNodes];
  const left = count(coming.map(keyOf));
  const last = [...target.childNodes].find(isOurs) ?? null;
  let at = skip(target.firstChild, isOurs);
  for (const next of coming) {
    const key = keyOf(next);
    while (at && keyOf(at) !== key && !left.get(keyOf(at))) {
      at = drop(at, isOurs);
    }
    left.set(key, (left.get(key) ?? 1) - 1);
    if (at && keyOf(at) === key) {
      update(at, next, isOurs);
      at = skip(at.nextSibling, isOurs);
    } else {
      remember(next);
      target.insertBefore(next, at ?? last);
    }
  }
  while (at) {
    at = drop(at, isOurs);
  }
}

/** What two nodes have alike of which one can become the other: a part of a card, by what it is called. */
function keyOf(node: Node): string {
  if (!(node instanceof Element)) {
    return node.nodeName;
  }
  const named = node.getAttribute('data-action') ?? labelOf(node);
  return `${node.nodeName}.${node.getAttribute('class') ?? ''}#${named}`;
}

function labelOf(element: Element): string {
  const label =
    element.nodeName === 'DETAILS'
      ? element.querySelector('summary')
      : element.classList.contains('fr-sec')
        ? element.querySelector('.fr-label')
        : null;
  // "Log: 12 lines" is the log, whatever there is in it
  return label ? firstText(label).split(':')[0].trim() : '';
}

function firstText(node: Node): string {
  for (let at: Node | null = node; at; at = at.firstChild) {
    if (at.nodeType === Node.TEXT_NODE) {
      return at.nodeValue ?? '';
    }
  }
  return '';
}

function update(node: Node, wanted: Node, isOurs: (node: Node) => boolean): void {
  if (node instanceof Element && wanted instanceof Element) {
    morph(node, wanted, isOurs);
  } else if (node instanceof CharacterData && wanted instanceof CharacterData) {
    replace(node, wanted.data);
  }
}

/** Change only the part of a text that is another one: a selection in the rest of it stays. */
function replace(node: CharacterData, text: string): void {
  const before = node.data;
  if (before === text) {
    return;
  }
  const most = Math.min(before.length, text.length);
  let start = 0;
  while (start < most && before[start] === text[start]) {
    start++;
  }
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === text[text.length - 1 - end]) {
    end++;
  }
  node.replaceData(start, before.length - start - end, text.slice(start, text.length - end));
}

function attributes(target: Element, wanted: Element): void {
  const isDetails = target.nodeName === 'DETAILS';
  for (const { name, value } of [...wanted.attributes]) {
    if (!(isDetails && name === 'open') && target.getAttribute(name) !== value) {
      target.setAttribute(name, value);
    }
  }
  for (const { name } of [...target.attributes]) {
    if (!(isDetails && name === 'open') && !wanted.hasAttribute(name)) {
      target.removeAttribute(name);
    }
  }
  if (isDetails) {
    const isOpen = wanted.hasAttribute('open');
    if (target.hasAttribute('open') === (told.get(target) ?? isOpen)) {
      target.toggleAttribute('open', isOpen);
    }
    told.set(target, isOpen);
  }
}

function remember(node: Node): void {
  if (node instanceof Element) {
    for (const each of [node, ...node.querySelectorAll('details')]) {
      told.set(each, each.hasAttribute('open'));
    }
  }
}

function skip(node: Node | null, isOurs: (node: Node) => boolean): ChildNode | null {
  let at = node;
  while (at && isOurs(at)) {
    at = at.nextSibling;
  }
  return at as ChildNode | null;
}

function drop(node: ChildNode, isOurs: (node: Node) => boolean): ChildNode | null {
  const next = skip(node.nextSibling, isOurs);
  node.remove();
  return next;
}

function count(keys: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const key of keys) {
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return found;
}
