import type { CodeEditor } from '@jupyterlab/codeeditor';
import { CodeEditor as Editors } from '@jupyterlab/codeeditor';
import * as React from 'react';

import type { ISource } from '../../api/generated';
import type { IDetails } from './details';
import type { IKnown } from './values';

/** The code as it was sent, in Lab's own editor; it cannot be changed. */
export function Code(props: IKnown): JSX.Element {
  const { detail, trans } = props;
  if (!detail.source.length) {
    return <div className="flyte-Empty">{trans.__('No code is kept of this run.')}</div>;
  }
  return (
    <div className="flyte-Page">
      {detail.source.map(source => (
        <Source key={source.name} source={source} editors={props.editors} trans={trans} />
      ))}
    </div>
  );
}

function Source(props: Pick<IDetails, 'editors' | 'trans'> & { source: ISource }): JSX.Element {
  const { editors, source, trans } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const { name, text } = source;
  React.useEffect(() => {
    if (!host.current) {
      return;
    }
    const model = new Editors.Model({ mimeType: 'text/x-ipython' });
    model.sharedModel.setSource(text.trimEnd());
    const editor: CodeEditor.IEditor = editors.factoryService.newInlineEditor({
      host: host.current,
      model,
      config: { readOnly: true, lineNumbers: true }
    });
    host.current
      .querySelector('[role=textbox]')
      ?.setAttribute('aria-label', trans.__('Code of %1', name));
    return () => {
      editor.dispose();
      model.dispose();
    };
  }, [editors, name, text, trans]);
  return (
    <section>
      <h3>{name}</h3>
      <div ref={host} className="flyte-Code jp-Editor" />
    </section>
  );
}
