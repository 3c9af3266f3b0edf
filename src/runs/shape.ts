/** What a field of a file has to be. */
export type Kind = 'text' | 'number' | 'list' | 'fields';

/** Fields by name with what each has to be; behind a `?` it may be missing. */
export type Shape = Readonly<Record<string, Kind | `${Kind}?`>>;

const kinds: Readonly<Record<Kind, { readonly is: (value: unknown) => boolean; readonly called: string }>> = {
  text: { is: (value) => typeof value === 'string', called: 'a text' },
  number: { is: (value) => typeof value === 'number' && Number.isFinite(value), called: 'a number' },
  list: { is: Array.isArray, called: 'a list' },
  fields: { is: isFields, called: 'an object' },
};

/** What keeps a value that was read from having this shape: `startedAt is not a number`; undefined where it has it. */
export function misfit(value: unknown, shape: Shape): string | undefined {
  if (!isFields(value)) return 'it is not an object';
  for (const [name, kind] of Object.entries(shape)) {
    const found = Object.hasOwn(value, name) ? value[name] : undefined;
    const { is, called } = kinds[kind.replace('?', '') as Kind];
    if (is(found) || (found === undefined && kind.endsWith('?'))) continue;
    return found === undefined ? `${name} is missing` : `${name} is not ${called}`;
  }
  return undefined;
}

/** The same with where it is: `by: pid is missing`. */
export function misfitOf(value: unknown, shape: Shape, where: string): string | undefined {
  const found = misfit(value, shape);
  return found === undefined ? undefined : `${where}: ${found}`;
}

/** The first misfit among the values of a list, or of an object: `metrics.http_reqs: type is missing`. */
export function misfitIn(values: unknown, shape: Shape, where: string): string | undefined {
  if (typeof values !== 'object' || values === null) return undefined;
  for (const [name, value] of Object.entries(values)) {
    const found = misfitOf(value, shape, `${where}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether all values of an object are numbers. */
export function holdsNumbers(values: object): boolean {
  return Object.values(values).every(kinds.number.is);
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
