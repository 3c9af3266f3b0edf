import type { CleanupKeys, CleanupRows } from '../profile/sections/schema.js';
import { columnInverse, rowSource } from '../profile/templates/sets.js';
import { readPattern } from '../profile/words/template.js';
import type { FormerEntries, FormerSet, StoreTask } from './kind/types.js';

/** The entries that go by a set which was otherwise when it was seeded: each with all that it would find if the set still were so. */
export function formerEntries(task: StoreTask, former: readonly FormerSet[], startedAt: string): FormerEntries[] {
  return former.flatMap(({ set, sets, again }): FormerEntries[] => {
    const isReadable = (column: { readonly set: string; readonly column: string }) =>
      column.set !== set.name || columnInverse(sets, column) !== undefined;
    const goesBy = (names: readonly { readonly set: string; readonly column: string }[]) =>
      names.some((each) => each.set === set.name) && names.every(isReadable);
    const rows = task.rows.filter((entry) =>
      'via' in entry ? viaSet(entry) === set.name && 'table' in set : goesBy(columnsOfRows(entry)),
    );
    const keys = task.keys.filter((entry) => goesBy(columnsOfKeys(entry)));
    if (rows.length + keys.length === 0) return [];
    const then: StoreTask = {
      ...task,
      rows,
      keys,
      inverse: (column) => columnInverse(sets, column) ?? task.inverse(column),
      tableSet: (name) => (name === set.name && 'table' in set ? set : task.tableSet(name)),
      source: (each) => (each.name === set.name ? rowSource(sets, set, startedAt) : task.source(each)),
      seededRows: (each, columns, where) => (each.name === set.name ? set.rows : task.seededRows(each, columns, where)),
    };
    return [{ task: then, why: `${set.name} was seeded otherwise before (${set.rows} rows)`, again }];
  });
}

function viaSet({ via }: Extract<CleanupRows, { via: unknown }>): string | undefined {
  return 'set' in via ? via.set : undefined;
}

function columnsOfRows(entry: CleanupRows) {
  return 'in' in entry ? [entry.in] : [];
}

function columnsOfKeys(entry: CleanupKeys) {
  if ('flush' in entry) return [];
  const refs = readPattern('match' in entry ? entry.match : entry.members).flatMap((part) => (part.kind === 'ref' ? [part] : []));
  return 'match' in entry && entry.where !== undefined ? [...refs, entry.where.in] : refs;
}
