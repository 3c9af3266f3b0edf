import type { Draw } from './draw.js';
import { anyTable, type Hazard, type Making, single } from './hazard.js';
import {
  base,
  idType,
  isByReference,
  isTested,
  quote,
  type Reference,
  type SchemaModel,
  setName,
  sqlName,
  type TableModel,
} from './model.js';
import { insertSql } from './rows.js';

/** Rows of others that stand in the way. */
export const rowHazards: Record<string, Making> = {
  'unlisted reference': (model, draw) => {
    const table = anyTable(model, draw, (one) => single(one) && one.entry !== undefined);
    if (table === undefined) return undefined;
    const id = quote(table.id.columns[0] ?? 'id');
    const action = draw.of(['NO ACTION', 'CASCADE', 'SET NULL', 'SET DEFAULT']);
    return {
      kind: 'unlisted reference',
      codes: [112, 113],
      names: ['outsider'],
      schema: [
        `CREATE TABLE outsider (no serial PRIMARY KEY, who text, at ${idType(table)} REFERENCES ${sqlName(table)} (${id}) ON DELETE ${action})`,
      ],
      before: [`INSERT INTO outsider (who, at) SELECT 'other', ${id} FROM ONLY ${sqlName(table)} WHERE who = 'other' LIMIT 3`],
      after: [`INSERT INTO outsider (who, at) SELECT 'other', ${id} FROM ONLY ${sqlName(table)} WHERE who = 'test' LIMIT 2`],
    };
  },
  'row of others at a row of the test': (model, draw) => pointing(model, draw, 'after'),
  'late row of others at a row of the test': (model, draw) => pointing(model, draw, 'late'),
  'others’ part of a tree': (model, draw) => {
    const table = anyTable(model, draw, (one) => one.self !== undefined && isTested(one));
    if (table?.self === undefined) return undefined;
    const wanted = { who: 'other', from: 9000, to: 9001, pointing: { reference: table.self, at: 'test' } } as const;
    return { kind: 'others’ part of a tree', codes: [113], names: [table.name], after: [insertSql(model, table, wanted)] };
  },
  'changed since': (model, draw) => {
    const table = anyTable(model, draw, ({ seeded }) => seeded !== undefined);
    if (table === undefined) return undefined;
    const one = `(tableoid, ctid) = (SELECT tableoid, ctid FROM ${sqlName(table)} WHERE who = 'test' AND note IS DISTINCT FROM 'app' LIMIT 1)`;
    return {
      kind: 'changed since',
      codes: [113],
      names: [table.name, setName(table)],
      after: [`UPDATE ${sqlName(table)} SET price = 1234.56 WHERE ${one}`],
    };
  },
  'sequence at the numbers': () => ({
    kind: 'sequence at the numbers',
    codes: [112],
    names: ['sequence public.counted_no_seq', 'counted'],
    schema: ['CREATE TABLE counted (no serial PRIMARY KEY, who text)'],
    before: ["INSERT INTO counted (who) VALUES ('other'), ('other')"],
    seed: { counted: { table: 'db.counted', rows: 5, columns: { no: '{n}', who: 'test' } } },
  }),
  'numbers of others': (model, draw) => {
    const table = anyTable(
      model,
      draw,
      (one) => one.seeded !== undefined && ['number'].includes(one.id.kind) && one.references.every(({ required }) => !required),
    );
    if (table === undefined) return undefined;
    const ids = [String(base + draw.int(1, table.seeded ?? 1))];
    return {
      kind: 'numbers of others',
      codes: [112, 113, 114],
      names: [table.name],
      before: [insertSql(model, table, { who: 'other', from: 50, to: 50, ids })],
    };
  },
  'key of others': (model, draw) => {
    const table = anyTable(model, draw, (one) => isRivalled(one) && !isHeld(model, one));
    if (table === undefined) return undefined;
    const ids = [`user${table.index}-${draw.int(1, table.seeded ?? 1)}`];
    return {
      kind: 'key of others',
      codes: [113, 114],
      names: [table.name],
      before: [insertSql(model, table, { who: 'other', from: 50, to: 50, ids })],
    };
  },
  'rival while loadctl seeds': (model, draw) => {
    const table = anyTable(model, draw, (one) => isRivalled(one) && !isHeld(model, one));
    if (table === undefined) return undefined;
    const ids = [`user${table.index}-${draw.int(1, table.seeded ?? 1)}`];
    return { kind: 'rival while loadctl seeds', codes: [113, 114], names: [table.name], late: [{ table, wanted: { who: 'other', ids } }] };
  },
};

/** Keys of its set are texts that an insert of others can hold. */
function isRivalled({ seeded, id, layout, entry }: TableModel): boolean {
  return seeded !== undefined && id.kind === 'text' && layout !== 'list' && entry?.by !== 'id';
}

/** Rows that hold a key of the table's set are the set's by the profile's own words: with such a rival none of others may. */
export function isHeld({ tables, audits, cycles }: SchemaModel, { index }: TableModel): boolean {
  const references = tables.flatMap((table) => [...table.references, ...(table.self === undefined ? [] : [table.self])]);
  return [...audits.map(({ of }) => of), ...references.map(({ parent }) => parent), ...cycles.map(({ to }) => to)].includes(index);
}

/** A row of others that references one of the test's by a key that selects nothing. */
function pointing(model: SchemaModel, draw: Draw, when: 'after' | 'late'): Hazard | undefined {
  const found = model.tables.flatMap((table) => {
    const isFree = (reference: Reference) =>
      reference.bound === 'key' && !(isByReference(table.entry) && table.references[table.entry.reference] === reference);
    return table.references.filter(isFree).flatMap((reference) => {
      const parent = model.tables[reference.parent];
      return parent !== undefined && isTested(parent) ? [{ table, reference, parent }] : [];
    });
  });
  if (found.length === 0) return undefined;
  const { table, reference, parent } = draw.of(found);
  const kind = when === 'late' ? 'late row of others at a row of the test' : 'row of others at a row of the test';
  const named = { kind, codes: [113], names: [table.name, parent.name] };
  const wanted = { who: 'other', pointing: { reference, at: 'test' } } as const;
  if (when === 'late') return { ...named, late: [{ table, wanted }] };
  return { ...named, after: [insertSql(model, table, { ...wanted, from: 9000, to: 9001 })] };
}
