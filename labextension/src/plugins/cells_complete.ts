import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  ICompletionProviderManager,
  type CompletionHandler,
  type ICompletionContext,
  type ICompletionProvider
} from '@jupyterlab/completer';
import { NotebookPanel } from '@jupyterlab/notebook';

import type { ICompletions } from '../model/complete';
import { IFlyteCells } from '../tokens';

/** Before the kernel's own, which has no help. */
const RANK = 1000;

/** Completions in lines of our magics that need no kernel. */
export const cellsComplete: JupyterFrontEndPlugin<void> = {
  id: 'flyte-jupyter:cells-complete',
  description: 'Completes magics, their options and their values, also without a kernel.',
  autoStart: true,
  requires: [ICompletionProviderManager, IFlyteCells],
  activate: (_: JupyterFrontEnd, manager: ICompletionProviderManager, cells: IFlyteCells): void => {
    manager.registerProvider(new Provider(cells));
  }
};

class Provider implements ICompletionProvider {
  readonly identifier = 'flyte-jupyter:magics';
  readonly rank = RANK;
  readonly renderer = null;

  constructor(private readonly cells: IFlyteCells) {}

  async isApplicable(context: ICompletionContext): Promise<boolean> {
    const { editor } = context;
    const position = editor?.getCursorPosition();
    const line = position && editor?.getLine(position.line)?.slice(0, position.column);
    return line ? (await this.found(line, context)) !== null : false;
  }

  async fetch(
    request: CompletionHandler.IRequest,
    context: ICompletionContext
  ): Promise<CompletionHandler.ICompletionItemsReply> {
    const before = request.text.slice(0, request.offset);
    const begin = before.lastIndexOf('\n') + 1;
    const found = await this.found(before.slice(begin), context);
    return {
      start: found ? begin + found.from : request.offset,
      end: request.offset,
      items: (found?.items ?? []).map(({ text, kind, help }) => ({
        label: text,
        type: kind,
        documentation: help || undefined
      }))
    };
  }

  private async found(line: string, { widget }: ICompletionContext): Promise<ICompletions | null> {
    const { complete } = await import('../model/complete');
    const model = widget instanceof NotebookPanel ? this.cells.of(widget) : null;
    return complete(line, {
      environments: model?.environments().map(one => one.variable) ?? [],
      tasks:
        model
          ?.tasks()
          .map(one => one.variable)
          .filter(name => name) ?? []
    });
  }
}
