import type { LooseEntry } from '../../kind/removals.js';
import { joinKeys } from '../catalog/foreign-keys.js';
import { quoteName, quoteText } from '../catalog/quote.js';
import type { Session } from '../connection/session.js';
import type { Target } from '../selection/targets.js';

/** An entry whose rows are found through those of another one, to which no foreign key holds them. */
export interface LooseChild {
  readonly target: Target;
  /** The quoted column of the parent that theirs holds. */
  readonly parentColumn: string;
}

/** The entries whose rows are found through these, and that no foreign key binds to them. */
export function looseChildren({ table }: Pick<Target, 'table'>, targets: readonly Target[]): LooseChild[] {
  return targets.flatMap((target) => {
    const [column] = target.through?.key.parentColumns ?? [];
    const isLoose = target.through?.parent.oid === table.oid && target.through.key.name === '';
    return isLoose && column !== undefined ? [{ target, parentColumn: quoteName(column) }] : [];
  });
}

/** Whether nothing is found through the row with alias t by this entry. */
export function bearsNone({ target: { through } }: LooseChild): string {
  return through === undefined
    ? 'true'
    : `NOT EXISTS (SELECT 1 FROM ${through.key.child.from} AS o WHERE ${joinKeys(through.key, 'o', 't')})`;
}

/** The rows (alias t) of an entry that hold one of these ids, whose parents are deleted. */
export function orphansOf({ key }: NonNullable<Target['through']>, ids: readonly string[], type: string): string {
  const [column = ''] = key.columns;
  const isAlone = `NOT EXISTS (SELECT 1 FROM ${key.parent.from} AS v WHERE ${joinKeys(key, 't', 'v')})`;
  return `t.${quoteName(column)} = ANY (ARRAY[${ids.map(quoteText).join(', ')}]::${type}[]) AND ${isAlone}`;
}

/** How notes call an entry whose rows hold the ids of others. */
export function looseEntry({ address }: Session, { entry, table, through }: Target): LooseEntry {
  return { store: entry.store, shard: address.shard, what: `${entry.store}.${table.inProfile} (${through?.key.columns.join(', ')})` };
}
