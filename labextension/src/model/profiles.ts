/** A place and a size that people have given a name; see "profiles" in `schema/plugin.json`. */
export interface IProfile {
  name: string;
  mode?: '' | 'local' | 'remote';
  queue?: string;
  cpu?: string;
  memory?: string;
  gpu?: string;
}

const SIZES = ['cpu', 'memory', 'gpu'] as const;

/** The one of that name; undefined when there is none. */
export function profileOf(profiles: readonly IProfile[], name: string): IProfile | undefined {
  return profiles.find(each => each.name === name);
}

/** What `%%flyte_task` is told for it, such as "--mode remote --cpu 4". */
export function optionsOf(profile: IProfile | undefined): string {
  return (['mode', 'queue', ...SIZES] as const)
    .filter(part => profile?.[part])
    .map(part => `--${part} ${word(profile?.[part] ?? '')}`)
    .join(' ');
}

/** The lines of Python that make an environment for it. */
export function environmentOf(profile: IProfile | undefined, name: string): string {
  const { mode, queue } = profile ?? {};
  const sizes = SIZES.filter(part => profile?.[part]).map(
    part => `${part}=${literal(profile?.[part] ?? '')}`
  );
  const given = [
    `name=${JSON.stringify(name)}`,
    ...(queue ? [`queue=${JSON.stringify(queue)}`] : []),
    ...(sizes.length ? [`resources=flyte.Resources(${sizes.join(', ')})`] : [])
  ];
  const init = mode ? `flyte.init(mode=${JSON.stringify(mode)})\n` : '';
  return `${init}env = flyte.TaskEnvironment(${given.join(', ')})`;
}

/** As one word of a line that is read as a shell does. */
function word(text: string): string {
  return /^[\w.:/@+,-]+$/.test(text) ? text : `'${text.replace(/'/g, `'"'"'`)}'`;
}

function literal(text: string): string {
  return /^\d+(\.\d+)?$/.test(text) ? text : JSON.stringify(text);
}
