import { joinKeys } from '../catalog/foreign-keys.js';
import { quoteName, quoteText } from '../catalog/quote.js';
import type { Target } from '../selection/targets.js';

/** An entry whose rows are found through those of another one, to which no foreign key holds them. */
export interface LooseChild {
  readonly target: Target;
  /** The quoted column of the parent that theirs holds. */
  readonly parentColumn: string;
}

/** The entries whose rows are found through these, and that no foreign key binds to them. */
export function looseChildren({ table }: Target, targets: readonly Target[]): LooseChild[] {
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

/** What a parent that is deleted hands back of itself: by it a child that comes late is found. */
export function returnedIds(children: readonly LooseChild[]): string | undefined {
  if (children.length === 0) return undefined;
  return `json_build_array(${children.map(({ parentColumn }) => `t.${parentColumn}::text`).join(', ')})::text`;
}

/** So many ids are looked for at once. */
const idsAtOnce = 5000;

/** Rows (alias t) of an entry whose parents are deleted: conditions that each find some of them. */
export function orphansOf({ through }: Target, ids: readonly string[], type: string): string[] {
  const [column = ''] = through?.key.columns ?? [];
  if (through === undefined) return [];
  const isAlone = `NOT EXISTS (SELECT 1 FROM ${through.key.parent.from} AS v WHERE ${joinKeys(through.key, 't', 'v')})`;
  const conditions: string[] = [];
  for (let from = 0; from < ids.length; from += idsAtOnce) {
    const some = ids.slice(from, from + idsAtOnce).map(quoteText);
    conditions.push(`t.${quoteName(column)} = ANY (ARRAY[${some.join(', ')}]::${type}[]) AND ${isAlone}`);
  }
  return conditions;
}

/** Adds what was returned to what is kept of each child. */
export function keepIds(kept: Map<Target, string[]>, children: readonly LooseChild[], returned: readonly string[]): void {
  for (const text of returned) {
    const ids: unknown = JSON.parse(text);
    if (!Array.isArray(ids)) continue;
    for (const [index, { target }] of children.entries()) {
      const id: unknown = ids[index];
      if (typeof id !== 'string') continue;
      const known = kept.get(target);
      if (known === undefined) kept.set(target, [id]);
      else known.push(id);
    }
  }
}
