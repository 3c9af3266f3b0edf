import type { Path } from '../document/tree.js';
import type { Broken, Rule } from './types.js';

/** No key is one that JavaScript's maps lose without a word. */
export const mapNamesRule: Rule = ({ data }) => lostNames(data, []);

const lost = '__proto__';

function lostNames(data: unknown, path: Path): Broken[] {
  if (typeof data !== 'object' || data === null) return [];
  if (Array.isArray(data)) return data.flatMap((item, index) => lostNames(item, [...path, index]));
  return Object.entries(data).flatMap(([name, value]): Broken[] => {
    const at = [...path, name];
    return name === lost ? [{ path: at, on: 'key', message: `expected another name than \`${lost}\`` }] : lostNames(value, at);
  });
}
