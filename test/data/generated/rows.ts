import { base, idWord, isByReference, isMade, prefix, quote, type Reference, type SchemaModel, sqlName, type TableModel } from './model.js';

export type Who = 'test' | 'other';

/** Rows to insert. */
export interface Wanted {
  readonly who: Who;
  /** Numbers of rows: nobody else inserts these. */
  readonly from: number;
  readonly to: number;
  /** What inherits from the table, where the rows go there. */
  readonly heir?: string;
  /** Ids instead of those that the numbers make. */
  readonly ids?: readonly string[];
  /** The tag of all of them, instead of one of their own. */
  readonly tag?: string;
  /** What a reference must point at, instead of what its table says. */
  readonly pointing?: { readonly reference: Reference; readonly at: Who };
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** The statement that inserts rows of others, or such as the application writes for the test; rows whose parents are not there are left out. */
export function insertSql(model: SchemaModel, table: TableModel, wanted: Wanted): string {
  const { who, from, to, heir, ids, tag } = wanted;
  const target = heir === undefined ? sqlName(table) : sqlName({ ...table, name: heir });
  const columns: [string, string][] = [
    ...idColumns(table, wanted),
    ['who', quoted(who)],
    ['owner', ownerOf(table, who)],
    ['tag', tag === undefined ? `${quoted(`${who}${table.index}-`)} || g || '@x.test'` : quoted(tag)],
    ['note', quoted(who === 'test' ? 'app' : 'others')],
    ['price', 'g % 100'],
    ...(table.layout === 'list' ? [['region', "(ARRAY['eu', 'us', 'far'])[g % 3 + 1]"] as [string, string]] : []),
  ];
  const joins: string[] = [];
  for (const [place, reference] of [...table.references, ...(table.self === undefined ? [] : [table.self])].entries()) {
    const parent = reference === table.self ? table : model.tables[reference.parent];
    if (parent === undefined) continue;
    const at = pointsAt(table, reference, parent, wanted);
    if (at === undefined) continue;
    const alias = `p${place}`;
    const isNeeded = reference.required || isSelecting(table, reference) || wanted.pointing?.reference === reference;
    joins.push(`${isNeeded ? 'JOIN' : 'LEFT JOIN'} LATERAL (${rowOf(parent, at)}) AS ${alias} ON true`);
    for (const [index, column] of reference.columns.entries())
      columns.push([column, `${alias}.${quote(parent.id.columns[index] ?? 'id')}`]);
  }
  const numbers =
    ids === undefined
      ? `generate_series(${from}, ${to}) AS g`
      : `unnest(ARRAY[${ids.map(quoted).join(', ')}]) WITH ORDINALITY AS a(alike, g0), LATERAL (SELECT ${from - 1} + g0::int) AS b(g)`;
  return `INSERT INTO ${target} (${columns.map(([name]) => quote(name)).join(', ')}) SELECT ${columns.map(([, value]) => value).join(', ')} FROM ${numbers} ${joins.join(' ')}`;
}

function idColumns(table: TableModel, { who, ids, from }: Wanted): [string, string][] {
  const [first = 'id', second = 'no'] = table.id.columns;
  if (ids !== undefined)
    return [
      [first, `alike::${table.id.kind === 'text' || table.id.kind === 'pair' ? 'text' : table.id.kind === 'uuid' ? 'uuid' : 'bigint'}`],
      ...(table.id.kind === 'pair' ? [[second, '77'] as [string, string]] : []),
    ];
  const word = who === 'other' ? 'real' : table.entry?.by === 'id' ? `${prefix}app` : 'app';
  switch (table.id.kind) {
    case 'text':
      return [[first, `${quoted(`${word}-`)} || g`]];
    case 'uuid':
      return [[first, `md5(${quoted(`${table.index} ${who} `)} || g)::uuid`]];
    case 'number':
      return [[first, 'g']];
    case 'pair':
      return [
        [first, quoted(word)],
        [second, 'g'],
      ];
    case 'shared':
      return from < 100 ? [[first, 'g']] : [];
    default:
      return [];
  }
}

/** Owners of others are nearly the test's. */
const alikeOwners = ['load-test-userX-1', 'load_test_user_1', 'LOAD-TEST-USER-1', 'load-test-user', 'real-1', ' load-test-user-1'];

function ownerOf({ entry }: TableModel, who: Who): string {
  if (who === 'test') return entry?.by === 'owner' ? `${quoted(`${prefix}r1-`)} || g` : 'NULL';
  return `(ARRAY[${alikeOwners.map(quoted).join(', ')}, NULL])[g % ${alikeOwners.length + 1} + 1]`;
}

function isSelecting(table: TableModel, reference: Reference): boolean {
  return isByReference(table.entry) && table.references[table.entry.reference] === reference;
}

/** Which rows of its parent a new row points at: `seeded` are those that no application wrote. */
function pointsAt(table: TableModel, reference: Reference, parent: TableModel, { who, pointing }: Wanted): string | undefined {
  if (pointing?.reference === reference) return `who = ${quoted(pointing.at)}`;
  if (who === 'other') return "who = 'other'";
  if (isSelecting(table, reference)) return table.entry?.by === 'table' ? "who = 'test'" : "who = 'test' AND note IS DISTINCT FROM 'app'";
  if (reference === table.self) return "who = 'test'";
  // The application's rows for the test are about things of others as well.
  return (parent.entry ?? parent.seeded) === undefined || reference.required ? "who = 'other'" : undefined;
}

function rowOf({ id, layout, ...parent }: TableModel, condition: string): string {
  const only = layout === 'inherits' ? 'ONLY ' : '';
  const columns = id.columns.map(quote);
  return `SELECT ${columns.join(', ')} FROM ${only}${sqlName(parent)} WHERE ${condition} ORDER BY md5(${columns.map((column) => `${column}::text`).join(' || ')} || g) LIMIT 1`;
}

/** Ids of others that are nearly those of the table's set. */
export function alikeIds(table: TableModel): string[] {
  const { seeded, id, layout } = table;
  if (seeded === undefined || isMade(table)) return [];
  const word = idWord(table);
  switch (id.kind) {
    case 'text':
      if (word.startsWith(prefix))
        return [`${word}1`.toUpperCase(), `x${word}1`, ` ${word}1`, word.replaceAll('-', '_'), prefix.slice(0, -1)];
      return [
        `${word}0`,
        `${word}01`,
        `${word}${seeded + 1}`,
        `${word}1 `,
        `${word}1`.toUpperCase(),
        `x${word}1`,
        `${word}١`,
        `${word}-1`,
        `${word}1.0`,
      ];
    case 'number':
    case 'shared':
    case 'identity':
      return [base, base + seeded + 1, -base, base * 10].map(String);
    case 'pair':
      return [`ten${table.index}-1`, `TEN${table.index}-1`, 'acme', 'Acme'];
    default:
      return layout === 'list' ? [] : [];
  }
}
