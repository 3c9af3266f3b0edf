import { LoadctlError } from '../../../core/errors.js';
import { own } from '../../../core/own.js';
import { uuidRange } from '../../../core/uuids.js';
import type { CleanupRows, PostgresStore } from '../../../profile/sections/schema.js';
import { inverseOf, isUnmistakable } from '../../../profile/templates/inverse.js';
import { setColumnText, tableText } from '../../../profile/words/names.js';
import { readTemplate } from '../../../profile/words/template.js';
import { type StoreTask, unrecorded } from '../../kind/types.js';
import { type Column, findColumns, textOf } from '../catalog/columns.js';
import { type ForeignKey, joinKeys } from '../catalog/foreign-keys.js';
import { likePrefix, quoteName, quoteText } from '../catalog/quote.js';
import type { NumberedColumn } from '../catalog/sequences.js';
import { findTable, type Table } from '../catalog/tables.js';
import { keyFor } from '../catalog/via-keys.js';
import type { Session } from '../connection/session.js';
import { rowOfSql } from '../rows/inverse-sql.js';
import { isReadBack, keyNames, numbersOf } from '../rows/ownership.js';
import { findSeededRows, type SeededRows } from '../rows/seeded-rows.js';

/** The rows of one cleanup entry: test data of one table. */
export interface Target {
  readonly entry: CleanupRows;
  readonly table: Table;
  /** Whether the row with this alias is test data, as SQL. */
  readonly predicate: (alias: string) => string;
  /** Whether it certainly is not; in a form that Postgres can plan as an anti-join. */
  readonly opposite: (alias: string) => string;
  /** The predicate in words. */
  readonly which: string;
  /** The rows that such a row is found by; missing where it is by a column of its own. */
  readonly through?: { readonly parent: Table; readonly key: ForeignKey };
  /** Numbers that the entry takes for the test's alone. */
  readonly numbers?: NumberedColumn;
  /** Why nothing tells whose such rows are; missing where that is certain. */
  readonly doubt?: string;
  /** Why they may be of others until they were seeded from here. */
  readonly unrecorded?: string;
}

/** Finds the tables and columns of every cleanup entry, in the profile's order. */
export async function findTargets(session: Session, config: PostgresStore, task: StoreTask): Promise<Target[]> {
  const targets: Target[] = [];
  for (const entry of task.rows) {
    const table = await findTable(session, entry.table, entry.schema);
    const means = { session, config, task, entry, table };
    targets.push('via' in entry ? await targetVia({ ...means, entry }, targets) : await targetByColumn({ ...means, entry }));
  }
  return targets;
}

type ViaEntry = Extract<CleanupRows, { via: unknown }>;
type ColumnEntry = Exclude<CleanupRows, ViaEntry>;

interface Finding<Entry extends CleanupRows> {
  readonly session: Session;
  readonly config: PostgresStore;
  readonly task: StoreTask;
  readonly entry: Entry;
  readonly table: Table;
}

/** Which values of a column are the test's: the one thing that decides what is deleted. */
interface Selection extends Pick<Target, 'which' | 'numbers' | 'unrecorded'> {
  /** The condition on the column, an SQL expression. */
  predicate(value: string): string;
}

async function targetByColumn(finding: Finding<ColumnEntry>): Promise<Target> {
  const { session, entry, table, task } = finding;
  const [column] = await findColumns(session, table, [entry.column]);
  if (column === undefined) throw new Error(`the column ${entry.column} does not exist`);
  const found = 'in' in entry ? bySet(finding, column) : 'uuid' in entry ? byUuid(entry.uuid, column) : byPrefix(task.prefix, column);
  if (found === undefined) throw misfit(finding, column);
  const { predicate: select, ...more } = found;
  const predicate = (alias: string) => select(`${alias}.${quoteName(entry.column)}`);
  return { entry, table, predicate, opposite: (alias) => `(${predicate(alias)}) IS NOT TRUE`, ...more };
}

/** Fewer characters than a profile may say would be a delete of everybody's rows: there is none without a prefix. */
const shortestPrefix = 8;

function byPrefix(prefix = '', { name, kind, isPlainText }: Column): Selection | undefined {
  if (prefix.length < shortestPrefix) {
    throw new LoadctlError(
      'refused',
      `rows are deleted by a prefix of ${shortestPrefix} characters or more, not by ${JSON.stringify(prefix)}`,
      { hint: 'Write cleanup.prefix: load-test-user-' },
    );
  }
  if (kind !== 'text') return undefined;
  return {
    // LIKE is exact where the collation is deterministic, and can use an index; starts_with on bytes is always exact.
    predicate: (value) =>
      isPlainText ? `${value} LIKE ${likePrefix(prefix)}` : `starts_with(${value}::text COLLATE "C", ${quoteText(prefix)})`,
    which: `${name} begins with ${JSON.stringify(prefix)}`,
  };
}

function byUuid(namespace: string, { name, kind }: Column): Selection | undefined {
  if (kind !== 'uuid') return undefined;
  const { low, high } = uuidRange(namespace);
  return {
    predicate: (value) => `${value} BETWEEN '${low}'::uuid AND '${high}'::uuid`,
    which: `${name} is of the UUID namespace ${JSON.stringify(namespace)}`,
  };
}

/** The rows that hold exactly what a column of a set holds in one of its rows. */
function bySet({ task, entry, table }: Finding<ColumnEntry>, column: Column): Selection | undefined {
  if (!('in' in entry)) return undefined;
  const inverse = task.inverse(entry.in);
  if (!isReadBack(column, inverse)) return undefined;
  const span = column.kind === 'number' ? numbersOf(inverse.pieces, inverse.rows) : undefined;
  const within = (value: string) => (span === undefined ? '' : `${value} BETWEEN ${span.low} AND ${span.high} AND `);
  const isBare = !isUnmistakable(inverse.pieces, inverse.rows);
  const why = isBare ? unrecorded(task, task.tableSet(entry.in.set), [entry.in.column], `${tableText(entry)}.${entry.column}`) : undefined;
  return {
    predicate: (value) => `(${within(value)}${rowOfSql(inverse, textOf(column, value))} IS NOT NULL)`,
    which: `${column.name} is in ${setColumnText(entry.in)}`,
    ...(span === undefined ? {} : { numbers: { table, column: column.name, span } }),
    ...(why === undefined ? {} : { unrecorded: why }),
  };
}

async function targetVia(finding: Finding<ViaEntry>, listed: readonly Target[]): Promise<Target> {
  const { session, config, task, entry, table } = finding;
  const { via } = entry;
  const set = 'set' in via ? task.tableSet(via.set) : undefined;
  const parent = 'set' in via ? await findTable(session, set?.table ?? '', set?.schema) : await findTable(session, via.table, via.schema);
  const key = await keyFor(session, entry, table, parent);
  const through = { parent, key };
  if (set !== undefined) {
    const rows = await findSeededRows(session, config, set, task.source(set));
    return belonging(entry, table, through, { which: `a row of the set ${set.name}`, ...ownedBy(rows, task) });
  }
  const parents = listed.filter((target) => target.table.oid === parent.oid);
  if (parents.length === 0) throw unlisted(entry);
  return belonging(entry, table, through, { which: `such a row of ${parent.inProfile}`, isOurs: (alias) => anyOf(parents, alias) });
}

/** Which rows of a table are a set's; where nothing tells, none is. */
function ownedBy(rows: SeededRows, task: StoreTask): Omit<Belonging, 'which'> {
  const { own, set } = rows;
  if (own === undefined)
    return { isOurs: () => 'false', doubt: `no unique key of ${rows.table.inProfile} distinguishes rows of ${set.name} from others` };
  const why = own.isBare ? unrecorded(task, set, keyNames(own)) : undefined;
  return { isOurs: own.owns, ...(why === undefined ? {} : { unrecorded: why }) };
}

interface Belonging extends Pick<Target, 'which' | 'doubt' | 'unrecorded'> {
  readonly isOurs: (alias: string) => string;
}

function belonging(
  entry: CleanupRows,
  table: Table,
  through: { parent: Table; key: ForeignKey },
  { which, isOurs, ...more }: Belonging,
): Target {
  const { key } = through;
  const predicate = (alias: string) => {
    const inner = `${alias}v`;
    return `EXISTS (SELECT 1 FROM ${key.parent.from} AS ${inner} WHERE ${joinKeys(key, alias, inner)} AND ${isOurs(inner)})`;
  };
  return {
    entry,
    table,
    predicate,
    opposite: (alias) => `NOT ${predicate(alias)}`,
    which: `${key.columns.join(', ')} references ${which}`,
    through,
    ...more,
  };
}

/** Whether an entry's rows are the test's for sure. */
export function isCertain({ doubt, unrecorded }: Target): boolean {
  return doubt === undefined && unrecorded === undefined;
}

/** Whether the row is test data by one of these entries. */
export function anyOf(targets: readonly Target[], alias: string): string {
  return targets.length === 0 ? 'false' : `(${targets.map(({ predicate }) => predicate(alias)).join(' OR ')})`;
}

/** Whether the row is test data by none of these entries. */
export function noneOf(targets: readonly Target[], alias: string): string {
  return targets.length === 0 ? 'true' : targets.map(({ opposite }) => opposite(alias)).join(' AND ');
}

function misfit({ session, table, entry }: Finding<ColumnEntry>, { type }: Column): LoadctlError {
  const holds = 'in' in entry ? `what ${setColumnText(entry.in)} holds` : 'uuid' in entry ? 'UUIDs' : 'text, as a prefix is looked for';
  return new LoadctlError('invalid-profile', `${session.place.name}: ${table.shown}.${entry.column} is ${type}; it has to hold ${holds}`, {
    hint: 'Name the column that holds the test’s ids, write `in: SET.COLUMN` for ids that are seeded or `uuid` for UUIDs of the script, or use `via` a table that has one.',
  });
}

function unlisted(entry: ViaEntry): LoadctlError {
  const [table, via] = [tableText(entry), 'set' in entry.via ? entry.via.set : tableText(entry.via)];
  return new LoadctlError('invalid-profile', `cleanup of ${table} goes via ${via}, which is not listed above it`, {
    hint: `List ${via} first: the rows of ${table} are found through its rows.`,
  });
}

/** Whether a set's own rows are all among those of an entry, so that the entry takes them out whatever they hold else. */
export function coversSet({ entry, table }: Target, rows: SeededRows, prefix: string | undefined): boolean {
  if (table.oid !== rows.table.oid || 'via' in entry || 'uuid' in entry) return false;
  const index = rows.columns.findIndex(({ name }) => name === entry.column);
  const pieces = rows.values[index];
  if (!pieces) return false;
  const [first] = pieces;
  if (!('in' in entry)) return prefix !== undefined && typeof first === 'string' && first.startsWith(prefix);
  const { set, column } = entry.in;
  if (rows.set.name === set && entry.column === column && inverseOf(pieces, rows.set.rows) !== undefined) return true;
  const value = own(rows.set.columns, entry.column);
  const [part, ...more] = typeof value === 'string' ? readTemplate(value) : [];
  return part?.kind === 'ref' && more.length === 0 && part.set === set && part.column === column;
}
