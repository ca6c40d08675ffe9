import { StateEffect, StateField, type EditorState, type Extension } from '@codemirror/state';
import {
  Decoration,
  EditorView,
  hoverTooltip,
  showTooltip,
  ViewPlugin,
  type DecorationSet,
  type Tooltip
} from '@codemirror/view';

import type { IProblem } from '../api/generated';

const found = StateEffect.define<readonly IProblem[]>();

/** Gives the problems of a text; undefined while they are not known. */
export type Problems = (source: string) => readonly IProblem[] | undefined;

/** What is wrong in magics, underlined; the caret or the mouse on it shows why. */
export class Underlines {
  /**
   * The extension for an editor.
   *
   * @param cell - the id of its cell.
   */
  of(cell: string, problems: Problems): Extension {
    const views = this.views;
    const lifetime = ViewPlugin.define(view => {
      const here = views.get(cell) ?? new Set();
      views.set(cell, here.add(view));
      queueMicrotask(() => show(view, problems)); // not while the view is made
      return {
        destroy: () => {
          here.delete(view);
          if (!here.size) {
            views.delete(cell);
          }
        }
      };
    });
    return [underlined, caret, hover, announced, lifetime];
  }

  /** Show what is known now of a cell, in all of its editors. */
  refresh(cell: string, problems: Problems): void {
    this.views.get(cell)?.forEach(view => show(view, problems));
  }

  private readonly views = new Map<string, Set<EditorView>>();
}

function show(view: EditorView, problems: Problems): void {
  const known = problems(view.state.doc.toString());
  if (known !== undefined && (known.length || view.state.field(underlined).size)) {
    view.dispatch({ effects: found.of(known) });
  }
}

const underlined = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (now, transaction) => {
    const moved = now.map(transaction.changes);
    const last = transaction.effects.filter(effect => effect.is(found)).pop();
    return last === undefined ? moved : marks(transaction.state, last.value);
  },
  provide: field => EditorView.decorations.from(field)
});

function marks(state: EditorState, problems: readonly IProblem[]): DecorationSet {
  const ranges = problems
    .filter(problem => problem.line < state.doc.lines)
    .map(({ line, start, end, message }) => {
      const { from, text } = state.doc.line(line + 1);
      const points = [...text]; // Python counts characters, JavaScript UTF-16
      const [begin, stop] = [start, end].map(at => from + points.slice(0, at).join('').length);
      return { from: begin, to: stop, message };
    })
    .filter(({ from, to }) => from < to);
  return Decoration.set(
    ranges.map(({ from, to, message }) =>
      Decoration.mark({
        class: 'flyte-Magic-wrong',
        attributes: { 'aria-invalid': 'true' },
        message
      }).range(from, to)
    ),
    true
  );
}

/** Why a place is underlined, and where that begins; null where it is not. */
function at(state: EditorState, position: number): { from: number; text: string } | null {
  const messages: string[] = [];
  let first = position;
  state.field(underlined).between(position, position, (from, _, value) => {
    messages.push((value.spec as { message: string }).message);
    first = Math.min(first, from);
  });
  return messages.length ? { from: first, text: messages.join('\n') } : null;
}

function tooltip(state: EditorState, position: number): Tooltip | null {
  const why = at(state, position);
  return why === null
    ? null
    : {
        pos: why.from,
        above: false,
        create: () => {
          const dom = document.createElement('div');
          dom.className = 'flyte-Magic-why';
          dom.setAttribute('role', 'tooltip');
          dom.textContent = why.text;
          return { dom };
        }
      };
}

/** Whether somebody looks at the place of the caret: the editor has the focus, and nothing is typed there. */
const focus = StateEffect.define<boolean>();
const focused = StateField.define<boolean>({
  create: () => false,
  update: (now, transaction) => {
    const changed = transaction.effects.filter(effect => effect.is(focus)).pop();
    if (changed !== undefined) {
      return changed.value;
    }
    return now && !transaction.docChanged;
  }
});

function look(event: Event, view: EditorView): void {
  const isMoved = event.type !== 'keyup' || MOVES.test((event as KeyboardEvent).key);
  queueMicrotask(() => {
    const now = view.hasFocus && (isMoved || view.state.field(focused));
    if (now !== view.state.field(focused)) {
      view.dispatch({ effects: focus.of(now) });
    }
  });
}

const MOVES = /^(?:Arrow|Home$|End$|Page)/;
const caret: Extension = [
  focused,
  // not by `focusChangeEffect`, which is lost when JupyterLab changes something at the same time
  EditorView.domEventHandlers({ focus: look, blur: look, keyup: look, mouseup: look }),
  showTooltip.compute([focused, underlined, 'selection'], state =>
    state.field(focused) ? tooltip(state, state.selection.main.head) : null
  )
];

const hover = hoverTooltip(({ state }, position) => {
  const isShown = state.field(focused) && at(state, state.selection.main.head);
  return isShown && isShown.from === at(state, position)?.from ? null : tooltip(state, position);
});

/** Screen readers say it when the caret comes there. */
const announced = EditorView.updateListener.of(update => {
  const [before, now] = [update.startState, update.state].map(
    state => at(state, state.selection.main.head)?.text
  );
  if (now !== undefined && now !== before && update.state.field(focused)) {
    const { view } = update;
    queueMicrotask(() => view.dispatch({ effects: EditorView.announce.of(now) }));
  }
});
