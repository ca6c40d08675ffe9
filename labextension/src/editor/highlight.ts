import { highlightingFor, language } from '@codemirror/language';
import { Prec, RangeSetBuilder, type EditorState, type Extension } from '@codemirror/state';
import {
  Decoration,
  ViewPlugin,
  type DecorationSet,
  type EditorView,
  type ViewUpdate
} from '@codemirror/view';
import { highlightTree } from '@lezer/highlight';

import { MAGIC, python, words } from './magic_line';

const MARKS = {
  magic: Decoration.mark({ class: 'flyte-Magic' }),
  option: Decoration.mark({ class: 'flyte-Magic-option' }),
  value: Decoration.mark({ class: 'flyte-Magic-value' }),
  text: Decoration.mark({ class: 'flyte-Magic-text' }),
  comment: Decoration.mark({ class: 'flyte-Magic-comment' })
};

/**
 * Lines of our magics in colours of their own, and what stands around them as Python.
 *
 * JupyterLab reads all of a cell as Python, so that a line that is none spoils what follows it.
 */
export function highlighting(): Extension {
  return Prec.highest(
    ViewPlugin.fromClass(
      class {
        decorations: DecorationSet;

        constructor(view: EditorView) {
          this.decorations = decorations(view.state);
        }

        update(update: ViewUpdate): void {
          const isOther =
            update.docChanged || update.startState.facet(language) !== update.state.facet(language);
          if (isOther) {
            this.decorations = decorations(update.state);
          }
        }
      },
      { decorations: plugin => plugin.decorations }
    )
  );
}

function decorations(state: EditorState): DecorationSet {
  const source = state.doc.toString();
  if (!source.includes('%flyte_')) {
    return Decoration.none;
  }
  const found: { from: number; to: number; mark: Decoration }[] = [];
  for (let number = 1; number <= state.doc.lines; number++) {
    const line = state.doc.line(number);
    if (MAGIC.test(line.text)) {
      for (const word of words(line.text)) {
        const mark = MARKS[word.kind];
        found.push({ from: line.from + word.from, to: line.from + word.to, mark });
      }
    }
  }
  const parser = state.facet(language)?.parser;
  if (parser && found.length) {
    const style = {
      style: (tags: Parameters<typeof highlightingFor>[1]) => highlightingFor(state, tags)
    };
    highlightTree(parser.parse(python(source)), style, (from, to, name) => {
      found.push({ from, to, mark: Decoration.mark({ class: name }) });
    });
  }
  found.sort((a, b) => a.from - b.from || a.to - b.to);
  const builder = new RangeSetBuilder<Decoration>();
  for (const { from, to, mark } of found) {
    builder.add(from, to, mark);
  }
  return builder.finish();
}
