import type { Path } from '../document/tree.js';
import type { SeedValue } from '../sections/seed.js';
import { templateIn } from '../words/template.js';
import type { Broken, Rule } from './types.js';

/** The keys of maps in what is seeded are stored as they are written: a template in one would stand there letter by letter. */
export const mapKeysRule: Rule = ({ profile: { seed = {} } }) =>
  Object.entries(seed).flatMap(([name, set]) => {
    if ('table' in set) return Object.entries(set.columns).flatMap(([column, value]) => keysIn(value, ['seed', name, 'columns', column]));
    const path = ['seed', name, 'value'];
    // The members of a sorted set are templates.
    return set.as === 'zset' ? [] : keysIn(set.value, path);
  });

function keysIn(value: SeedValue, path: Path): Broken[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => keysIn(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [...keyProblem(key, [...path, key]), ...keysIn(item, [...path, key])]);
}

function keyProblem(key: string, path: Path): Broken[] {
  const template = templateIn(key);
  return template === undefined
    ? []
    : [
        {
          path,
          on: 'key',
          message: `\`${template}\` is a template, and none is filled in the keys of a map: they are stored as they are written`,
        },
      ];
}
