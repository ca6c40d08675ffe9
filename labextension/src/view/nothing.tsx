import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { isEverything, type IRunFilter } from '../model/filter';

const INSTALL = 'pip install flyte_jupyter\njupyter server extension enable flyte_jupyter';

interface INothingProps {
  readonly problem: { message: string; status: number } | null;
  readonly isReady: boolean;
  readonly filter: IRunFilter;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
  retry(): void;
  clear(): void;
}

/** What stands in the place of runs when there are none: why, and what to do. */
export function Nothing(props: INothingProps): JSX.Element {
  const { problem, isReady, filter, commands, trans, retry, clear } = props;
  if (problem?.status === 404) {
    return (
      <Said title={trans.__('The server does not know flyte_jupyter')}>
        <p>{trans.__('Its extension is not enabled where Jupyter’s server runs. There:')}</p>
        <pre>{INSTALL}</pre>
        <p>{trans.__('Then start JupyterLab again.')}</p>
        <Button label={trans.__('Try again')} click={retry} />
      </Said>
    );
  }
  if (problem) {
    return (
      <Said title={trans.__('The runs cannot be listed')}>
        <p>{problem.message}</p>
        <Button label={trans.__('Try again')} click={retry} />
      </Said>
    );
  }
  if (!isReady) {
    return <div className="flyte-Nothing" aria-busy />;
  }
  if (!isEverything(filter)) {
    return (
      <Said title={trans.__('No run matches')}>
        <Button label={trans.__('Show all runs')} click={clear} />
      </Said>
    );
  }
  return (
    <Said title={trans.__('No runs yet')}>
      <p>
        {trans.__(
          'What you run with flyte.run, or in a cell that begins with %1, is listed here.',
          '%%flyte_task' // within the text it would lose a %
        )}
      </p>
      {commands.hasCommand(CommandIDs.newNotebook) && (
        <Button
          label={trans.__('Try it: open a Flyte notebook')}
          click={() => void commands.execute(CommandIDs.newNotebook)}
        />
      )}
    </Said>
  );
}

/** A few words in the place of rows. */
export function Said(props: { title?: string; children?: React.ReactNode }): JSX.Element {
  return (
    <div className="flyte-Nothing">
      {props.title && <p className="flyte-Nothing-title">{props.title}</p>}
      {props.children}
    </div>
  );
}

function Button({ label, click }: { label: string; click: () => void }): JSX.Element {
  return (
    <button
      type="button"
      className="jp-mod-styled jp-mod-accept flyte-Nothing-button"
      onClick={click}
    >
      {label}
    </button>
  );
}
