import type { Draw } from './draw.js';
import { anyTable, type Hazard, type Making } from './hazard.js';
import { isMade, type SchemaModel, type TableModel } from './model.js';
import { isHeld } from './row-hazards.js';
import { insertSql } from './rows.js';
import { referencedByPeriod } from './temporal.js';

/** Rows of others that hold a tag of a set, where a key of any kind says that there is one of it; and keys over time. */
export const keyHazards: Record<string, Making> = {
  'tag of others': (model, draw) => rival(model, draw, 'before'),
  'tag of others while loadctl seeds': (model, draw) => rival(model, draw, 'late'),
  'referenced by PERIOD': referencedByPeriod,
};

function rival(model: SchemaModel, draw: Draw, when: 'before' | 'late'): Hazard | undefined {
  const isRivalled = (table: TableModel) =>
    table.tag !== 'plain' && table.tag !== 'not distinct' && table.seeded !== undefined && !isMade(table) && !isHeld(model, table);
  const table = anyTable(model, draw, isRivalled);
  if (table === undefined) return undefined;
  const tag = `tag${table.index}-${draw.int(1, table.seeded ?? 1)}@x.test`;
  const wanted = { who: 'other', tag: table.tag === 'expression' ? tag.toUpperCase() : tag } as const;
  const kind = when === 'late' ? 'tag of others while loadctl seeds' : 'tag of others';
  const named = { kind, codes: [113, 114], names: [table.name] };
  if (when === 'late') return { ...named, late: [{ table, wanted }] };
  // Of a dear one the partial key says that there is one of it.
  return { ...named, before: [insertSql(model, table, { ...wanted, from: 77, to: 77 })] };
}
