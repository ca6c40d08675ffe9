import * as React from 'react';

/** Tabs with what is in the chosen one; the arrow keys go from one to the next. */
export function Tabs<Name extends string>(props: {
  label: string;
  tabs: readonly { name: Name; title: string }[];
  chosen: Name;
  choose: (name: Name) => void;
  children: React.ReactNode;
}): JSX.Element {
  const id = React.useId();
  const row = React.useRef<HTMLDivElement>(null);
  const press = (event: React.KeyboardEvent) => {
    const at = props.tabs.findIndex(tab => tab.name === props.chosen);
    const count = props.tabs.length;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + count, Home: 0, End: count - 1 }[
      event.key
    ];
    if (to !== undefined) {
      event.preventDefault();
      props.choose(props.tabs[to % count].name);
      row.current?.querySelectorAll<HTMLElement>('[role=tab]')[to % count].focus();
    }
  };
  return (
    <div className="flyte-Tabs">
      <div
        ref={row}
        role="tablist"
        aria-label={props.label}
        className="flyte-Tabs-row"
        onKeyDown={press}
      >
        {props.tabs.map(({ name, title }) => (
          <button
            key={name}
            id={`${id}-${name}`}
            role="tab"
            aria-selected={name === props.chosen}
            aria-controls={`${id}-panel`}
            tabIndex={name === props.chosen ? 0 : -1}
            onClick={() => props.choose(name)}
          >
            {title}
          </button>
        ))}
      </div>
      <div
        id={`${id}-panel`}
        role="tabpanel"
        aria-labelledby={`${id}-${props.chosen}`}
        className="flyte-Tabs-panel"
      >
        {props.children}
      </div>
    </div>
  );
}
