import type { Draw } from './draw.js';
import {
  type Audit,
  type Cycle,
  type Entry,
  type IdKind,
  isReadable,
  isTested,
  type Layout,
  type Reference,
  type Role,
  type TableModel,
} from './model.js';

const actions = ['NO ACTION', 'RESTRICT', 'CASCADE', 'CASCADE', 'SET NULL', 'SET DEFAULT'];
const timings = ['', '', 'DEFERRABLE', 'DEFERRABLE INITIALLY DEFERRED'];

/** References of a new table to some of those that are there. */
export function drawReferences(draw: Draw, parents: readonly TableModel[], layout: Layout): Reference[] {
  const many = Math.min(parents.length, draw.of([0, 1, 1, 1, 2]));
  return draw
    .shuffled(parents)
    .slice(0, many)
    .map((parent) => drawReference(draw, parent, layout, `${draw.of(['of', 'Of.'])}${parent.index}`));
}

/** One reference; of the name `boss` to the table itself. */
export function drawReference(draw: Draw, parent: TableModel, layout: Layout, name: string): Reference {
  const single = parent.id.kind !== 'pair';
  const bound = single
    ? draw.of<Reference['bound']>([
        'key',
        'key',
        'key',
        'key',
        layout === 'plain' && parent.layout === 'plain' ? 'not enforced' : 'key',
        'loose',
      ])
    : 'key';
  const action = draw.of(actions);
  return {
    parent: parent.index,
    columns: single ? [name] : [`${name} a`, `${name} b`],
    bound: name === 'boss' ? 'key' : bound,
    action,
    timing: bound === 'not enforced' ? '' : draw.of(timings),
    required: action !== 'SET NULL' && draw.chance(0.4),
  };
}

/** How cleanup finds the rows of a new table. */
export function drawEntry(
  draw: Draw,
  references: readonly Reference[],
  earlier: readonly TableModel[],
  { role, kind }: { readonly role: Role; readonly kind: IdKind },
): Entry {
  const found = references.flatMap(({ parent }, reference): Entry[] => {
    const table = earlier[parent];
    if (table === undefined) return [];
    const bySet: Entry[] = table.seeded === undefined || table.layout === 'inherits' || role === 'both' ? [] : [{ by: 'set', reference }];
    const byValue: Entry[] = isReadable(table) ? [{ by: 'in', reference }] : [];
    const byTable: Entry[] = table.entry === undefined || role === 'both' ? [] : [{ by: 'table', reference }];
    return [...bySet, ...byValue, ...byTable];
  });
  const byId: Entry[] = kind === 'text' ? [{ by: 'id' }] : [];
  const all = role === 'both' ? [...found, ...found, ...byId] : [...found, ...found, { by: 'owner' } as const, ...byId];
  return all.length === 0 ? { by: 'owner' } : draw.of(all);
}

/** Keys from a table to one that references it: what is found in both stays within what the profile lists. */
export function drawCycles(draw: Draw, tables: readonly TableModel[]): Cycle[] {
  const found = tables.flatMap((table) =>
    table.references.flatMap(({ parent, bound }) => {
      const above = tables[parent];
      const fits =
        bound === 'key' &&
        table.id.kind !== 'pair' &&
        table.layout !== 'list' &&
        (above?.entry === undefined) === (table.entry === undefined);
      return above !== undefined && fits ? [{ from: parent, to: table.index, action: draw.of(['NO ACTION', 'CASCADE', 'SET NULL']) }] : [];
    }),
  );
  return found.length > 0 && draw.chance(0.2) ? [draw.of(found)] : [];
}

/** Rows of the table's own trigger table are found by their source. */
export function drawAudits(draw: Draw, table: TableModel): Audit[] {
  if (table.layout === 'inherits' || table.id.kind === 'pair' || !draw.chance(isTested(table) ? 0.3 : 0.1)) return [];
  const ways: Audit['by'][] = ['unlisted'];
  if (isReadable(table) && table.entry === undefined) ways.push('in', 'in', 'set');
  // A loose `via` goes by the parent's primary key, which has two columns where a list tells partitions apart.
  if (table.layout !== 'list' && table.seeded !== undefined && table.entry === undefined) ways.push('set');
  if (table.layout !== 'list' && table.entry !== undefined) ways.push('table', 'table');
  const by = draw.of(table.layout === 'list' ? ways.filter((way) => way !== 'set') : ways);
  const onDelete = draw.chance(0.5);
  return [{ of: table.index, name: `Audit ${table.index}`, each: draw.of(['ROW', 'STATEMENT']), onDelete, by }];
}
