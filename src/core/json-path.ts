/** A place in a JSON document: keys and list indexes from its root. */
export type JsonPath = readonly (string | number)[];

const step = /\.([A-Za-z_]\w*)|\[(\d+)\]|\['([^'\\]+)'\]|\["([^"\\]+)"\]/gy;

/** Reads `$`, `$.a.b`, `$.list[0]`, `$['a-b']`: one place. Undefined for what is more than that (wildcards, filters, slices). */
export function readJsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith('$')) return undefined;
  const rest = text.slice(1);
  const steps = [...rest.matchAll(step)];
  if (steps.reduce((sum, [token]) => sum + token.length, 0) !== rest.length) return undefined;
  return steps.map(([, name, index, single, double]) => (index === undefined ? (name ?? single ?? double ?? '') : Number(index)));
}

/** What a document holds at a place; undefined where there is nothing. Only what the document itself says counts: no `length`. */
export function jsonAt(document: unknown, path: JsonPath): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) !== (typeof key === 'number')) return undefined;
    return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  }, document);
}
