import type { Draw } from './draw.js';
import {
  base,
  type Entry,
  idWord,
  isByReference,
  isMade,
  isReadable,
  knownKey,
  prefix,
  profileName,
  quote,
  type Reference,
  type SchemaModel,
  setName,
  type TableModel,
} from './model.js';
import { span } from './temporal.js';

/** A random schema's profile: what is seeded into it and what is cleaned up, in the profile's words. */
export interface Profile {
  readonly seed: Record<string, unknown>;
  readonly rows: readonly unknown[];
}

/** What a profile says of a schema. */
export function profileOf({ tables, audits }: SchemaModel, draw: Draw): Profile {
  const seed: Record<string, unknown> = {};
  for (const table of draw.shuffled(tables))
    if (table.seeded !== undefined)
      seed[setName(table)] = { table: profileName(table), rows: table.seeded, columns: columnsOf(table, tables, draw) };
  const rows = tables.flatMap((table) => (table.entry === undefined ? [] : [entryOf(table, table.entry, tables)]));
  const written = audits.flatMap(({ of, name, by }): unknown[] => {
    const source = tables[of];
    if (source === undefined || by === 'unlisted') return [];
    const entry = { table: profileName({ schema: 'public', name }), column: 'source' };
    if (by === 'in') return [{ ...entry, in: columnOf(source) }];
    return [{ ...entry, via: by === 'set' ? setName(source) : profileName(source) }];
  });
  return { seed, rows: [...rows, ...written] };
}

function columnsOf(table: TableModel, tables: readonly TableModel[], draw: Draw): Record<string, unknown> {
  const { id, references, self, layout } = table;
  const own = self === undefined || isMade(table) || draw.chance(0.3) ? [] : [[self.columns[0], idTemplates(table, draw)[0]]];
  return Object.fromEntries([
    ...(isMade(table) ? [] : idTemplates(table, draw).map((template, index) => [id.columns[index], template])),
    ['who', 'test'],
    ...(isMade(table) || table.tag === 'not distinct' || draw.chance(0.8) ? [['tag', `tag${table.index}-{n}@x.test`]] : []),
    ...(table.tag === 'temporal' && draw.chance(0.5) ? [['during', span]] : []),
    ...(draw.chance(0.5) ? [['feeling', '{pick:sad|ok|very happy}']] : []),
    ['price', draw.chance(0.5) ? '{int:1..100}' : 7.5],
    ...(draw.chance(0.3) ? [['facts', { level: '{int:1..9}', n: ['{n}'] }]] : []),
    ...(layout === 'list' ? [['region', '{pick:eu|us|far}']] : []),
    ...references.flatMap((reference) => referenceColumns(reference, tables, table)),
    ...own,
  ]);
}

function idTemplates(table: TableModel, draw: Draw): string[] {
  switch (table.id.kind) {
    case 'text':
      return [`${idWord(table)}{n}`];
    case 'uuid':
      return ['{uuid}'];
    case 'pair':
      return draw.chance(0.5) ? [`ten${table.index}-{n}`, '{int:1..9}'] : ['acme', `{n+${base}}`];
    default:
      return [`{n+${base}}`];
  }
}

function referenceColumns({ parent, columns, required }: Reference, tables: readonly TableModel[], child: TableModel): [string, unknown][] {
  const table = tables[parent];
  if (table === undefined) return [];
  const isKnown = table.seeded !== undefined && !isMade(table);
  const isSelecting = isByReference(child.entry) && child.references[child.entry.reference]?.parent === parent;
  if (isKnown) return columns.map((column, index) => [column, `{${columnOf(table, index)}}`]);
  return required || isSelecting ? columns.map((column, index) => [column, knownKey(table)[index]]) : [];
}

function entryOf(table: TableModel, entry: Entry, tables: readonly TableModel[]): unknown {
  const named = { table: profileName(table) };
  if (!isByReference(entry)) return { ...named, column: entry.by === 'owner' ? 'owner' : table.id.columns[0] };
  const { parent = 0, columns = [] } = table.references[entry.reference] ?? {};
  const source = tables[parent];
  if (source === undefined) return named;
  if (entry.by === 'in' && isReadable(source)) return { ...named, column: columns[0], in: columnOf(source) };
  return { ...named, via: entry.by === 'set' ? setName(source) : profileName(source), column: columns[0] };
}

function columnOf(table: TableModel, index = 0): string {
  const column = table.id.columns[index] ?? 'id';
  return `${setName(table)}.${quote(column)}`;
}

/** The profile as a file's text; JSON is YAML. */
export function profileText({ seed, rows }: Profile, url: string, receipt: string): string {
  return JSON.stringify({
    target: { url: 'http://127.0.0.1:1' },
    workload: { script: '../script.js' },
    stores: { db: { kind: 'postgres', url } },
    seed,
    cleanup: { prefix, rows, settle: '150ms', pause: '1ms' },
    guards: { receipt },
  });
}
