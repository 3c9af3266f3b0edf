import { LoadctlError } from '../../core/errors.js';
import { uuidRange } from '../../core/uuids.js';
import type { CleanupRows } from '../../profile/sections/schema.js';
import type { NumberRange } from '../../profile/words/words.js';
import type { StoreTask } from '../kind/types.js';
import { serverMessage, sqlState } from './errors.js';
import { type ForeignKey, foreignKeysBetween, joinKeys, primaryKey } from './foreign-keys.js';
import { likePrefix, quoteName, quoteText } from './quote.js';
import type { Session } from './session.js';
import { findTable, type Table } from './tables.js';

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
}

/** Finds the tables and columns of every cleanup entry, in the profile's order. */
export async function findTargets(session: Session, { rows, prefix }: StoreTask): Promise<Target[]> {
  const targets: Target[] = [];
  for (const entry of rows) {
    const table = await findTable(session, entry.table);
    targets.push(
      'via' in entry
        ? await targetVia(session, entry, table, targets)
        : await targetByColumn(session, entry, table, selectionOf(entry, prefix)),
    );
  }
  return targets;
}

type ColumnEntry = Extract<CleanupRows, { column: string }> & { via?: never };

/** Which values of a column are the test's: the one thing that decides what is deleted. */
interface Selection {
  /** What the column must hold, for the message where it holds something else. */
  readonly holds: string;
  fits(column: FoundColumn): boolean;
  /** The condition on the column, an SQL expression, in a form that can use an index. */
  predicate(column: FoundColumn, value: string): string;
  /** The same in words. */
  which(column: string): string;
}

interface FoundColumn {
  readonly type: string;
  readonly isText: boolean;
  /** LIKE is exact for it, and can use an index. */
  readonly byIndex: boolean;
  readonly isWhole: boolean;
  readonly isUuid: boolean;
}

function selectionOf(entry: ColumnEntry, prefix: string | undefined): Selection {
  if ('range' in entry) return byRange(entry.range);
  return 'uuid' in entry ? byUuid(entry.uuid) : byPrefix(prefix);
}

/** Fewer characters than a profile may say would be a delete of everybody's rows: there is none without a prefix. */
const shortestPrefix = 8;

function byPrefix(prefix = ''): Selection {
  if (prefix.length < shortestPrefix) {
    throw new LoadctlError(
      'refused',
      `rows are deleted by a prefix of ${shortestPrefix} characters or more, not by ${JSON.stringify(prefix)}`,
      {
        hint: 'Write cleanup.prefix: load-test-user-',
      },
    );
  }
  return {
    holds: 'text, as a prefix is looked for',
    fits: ({ isText }) => isText,
    // LIKE is exact where the collation is deterministic, and can use an index; starts_with on bytes is always exact.
    predicate: ({ byIndex }, value) =>
      byIndex ? `${value} LIKE ${likePrefix(prefix)}` : `starts_with(${value}::text COLLATE "C", ${quoteText(prefix)})`,
    which: (column) => `${column} begins with ${JSON.stringify(prefix)}`,
  };
}

function byRange({ low, high }: NumberRange): Selection {
  return {
    holds: 'whole numbers, as a range is looked for',
    fits: ({ isWhole }) => isWhole,
    predicate: (_, value) => `${value} BETWEEN ${low} AND ${high}`,
    which: (column) => `${column} is from ${low} to ${high}`,
  };
}

function byUuid(namespace: string): Selection {
  const { low, high } = uuidRange(namespace);
  return {
    holds: 'UUIDs, as a namespace of them is looked for',
    fits: ({ isUuid }) => isUuid,
    predicate: (_, value) => `${value} BETWEEN '${low}'::uuid AND '${high}'::uuid`,
    which: (column) => `${column} is of the UUID namespace ${JSON.stringify(namespace)}`,
  };
}

async function targetByColumn(session: Session, entry: ColumnEntry, table: Table, selection: Selection): Promise<Target> {
  const column = await findColumn(session, table, entry.column);
  const { place } = session;
  if (!selection.fits(column)) {
    throw new LoadctlError(
      'invalid-profile',
      `${place.name}: ${table.shown}.${entry.column} is ${column.type}; it has to hold ${selection.holds}`,
      {
        hint: 'Name the column that holds the test’s ids, say `range` for numbers or `uuid` for UUIDs, or use `via` a table that has one.',
      },
    );
  }
  if ('range' in entry) await refuseCountedUp(session, entry, table);
  const predicate = (alias: string) => selection.predicate(column, `${alias}.${quoteName(entry.column)}`);
  return { entry, table, predicate, opposite: (alias) => `(${predicate(alias)}) IS NOT TRUE`, which: selection.which(entry.column) };
}

async function findColumn(session: Session, table: Table, name: string): Promise<FoundColumn> {
  const { rows } = await session.query<FoundColumn>(
    `SELECT format_type(a.atttypid, a.atttypmod) AS type, t.typcategory = 'S' AS "isText",
            a.atttypid IN ('text'::regtype, 'varchar'::regtype) AND coalesce(c.collisdeterministic, true) AS "byIndex",
            a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) AS "isWhole", a.atttypid = 'uuid'::regtype AS "isUuid"
       FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation
      WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped`,
    [table.oid, name],
  );
  const [column] = rows;
  if (column) return column;
  const { place } = session;
  throw new LoadctlError('unavailable', `${place.name}: ${table.shown} in the database ${place.database} has no column ${name}`, {
    hint: 'Correct its name under cleanup.rows in the profile.',
  });
}

type RangeEntry = Extract<ColumnEntry, { range: unknown }>;

/** The sequences that number a column, or one that it references. */
const sequencesSql = `
  WITH mine AS (SELECT attrelid, attnum FROM pg_attribute WHERE attrelid = $1 AND attname = $2),
    numbered AS (SELECT attrelid, attnum FROM mine UNION
      SELECT k.confrelid, k.confkey[array_position(k.conkey, m.attnum)] FROM pg_constraint k JOIN mine m ON m.attrelid = k.conrelid AND m.attnum = ANY (k.conkey)
       WHERE k.contype = 'f')
  SELECT format('%I.%I', n.nspname, q.relname) AS name, s.start_value::text AS start, s.start_value > 0 AND s.increment_by > 0 AS upwards, s.last_value::text AS counted, has_sequence_privilege(q.oid, 'USAGE, SELECT') AS told
    FROM numbered c JOIN pg_depend d ON d.refobjid = c.attrelid AND d.refobjsubid = c.attnum AND d.classid = 'pg_class'::regclass AND d.refclassid = d.classid
    JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S' JOIN pg_namespace n ON n.oid = q.relnamespace
    JOIN pg_sequences s ON s.schemaname = n.nspname AND s.sequencename = q.relname`;

interface Numbering {
  readonly name: string;
  readonly start: string;
  /** From 1 or more on, never below. */
  readonly upwards: boolean;
  readonly counted: string | null;
  /** Whether the role may see how far it is. */
  readonly told: boolean;
}

/** Whether a number lies in the range that the sequence has given, or may have given before it was set on: some begin far below 0, some count down. */
function hasCountedInto({ low, high }: NumberRange, start: bigint, last: bigint): boolean {
  const [from, to] = last < start ? [last, start] : [start > 0n ? 0n : start, last];
  return from <= BigInt(high) && BigInt(low) <= to;
}

/** A range that the column's sequence has come to holds real rows. */
async function refuseCountedUp(session: Session, { range, column }: RangeEntry, table: Table): Promise<void> {
  const { place } = session;
  const { rows } = await session.query<Numbering>(sequencesSql, [table.oid, column]);
  for (const { name, start, upwards, counted, told } of rows) {
    if (upwards && BigInt(range.high) < 0n) continue;
    if (!told) {
      throw new LoadctlError(
        'unavailable',
        `${place.name}: the role ${place.role} may not see how far ${name} is, which numbers ${table.shown}.${column}`,
        {
          hint: `Let the owner run: GRANT SELECT ON SEQUENCE ${name} TO ${quoteName(place.role)};`,
        },
      );
    }
    if (counted === null || !hasCountedInto(range, BigInt(start), BigInt(counted))) continue;
    throw new LoadctlError(
      'refused',
      `${place.name}: ${table.shown}.${column} is numbered by a sequence that is at ${counted}: real rows are in the range ${range.low}..${range.high}`,
      { hint: 'Give the test a range that the sequence will not come to, or one below 0.' },
    );
  }
}

async function targetVia(
  session: Session,
  entry: Extract<CleanupRows, { via: string }>,
  table: Table,
  listed: readonly Target[],
): Promise<Target> {
  const parent = await findTable(session, entry.via);
  const parents = listed.filter((target) => target.table.oid === parent.oid);
  if (parents.length === 0) {
    throw new LoadctlError('invalid-profile', `cleanup of ${entry.table} goes via ${entry.via}, which is not listed above it`, {
      hint: `List ${entry.via} first: the rows of ${entry.table} are found through its rows.`,
    });
  }
  const key = await keyFor(session, entry, table, parent);
  const predicate = (alias: string) => {
    const inner = `${alias}v`;
    return `EXISTS (SELECT 1 FROM ${parent.quoted} AS ${inner} WHERE ${joinKeys(key, alias, inner)} AND ${anyOf(parents, inner)})`;
  };
  return {
    entry,
    table,
    predicate,
    opposite: (alias) => `NOT ${predicate(alias)}`,
    which: `${key.columns.join(', ')} references such a row of ${parent.inProfile}`,
    through: { parent, key },
  };
}

/** Whether the row is test data by one of these entries. */
export function anyOf(targets: readonly Target[], alias: string): string {
  return targets.length === 0 ? 'false' : `(${targets.map(({ predicate }) => predicate(alias)).join(' OR ')})`;
}

/** Whether the row is test data by none of these entries. */
export function noneOf(targets: readonly Target[], alias: string): string {
  return targets.length === 0 ? 'true' : targets.map(({ opposite }) => opposite(alias)).join(' AND ');
}

async function keyFor(session: Session, entry: Extract<CleanupRows, { via: string }>, child: Table, parent: Table): Promise<ForeignKey> {
  const keys = await foreignKeysBetween(session, child, parent);
  const { column } = entry;
  const fitting = column === undefined ? keys : keys.filter(({ columns }) => columns.includes(column));
  const [key, ...more] = fitting;
  if (key && more.length === 0) return key;
  if (key) {
    throw new LoadctlError(
      'invalid-profile',
      `${child.shown} references ${parent.shown} in more than one way: ${fitting.map(({ columns }) => columns.join(', ')).join('; ')}`,
      {
        hint: `Say which with \`column\`, or list the table once for each: - {store: ${entry.store}, table: ${entry.table}, via: ${entry.via}, column: ${key.columns[0]}}`,
      },
    );
  }
  const [id, ...others] = column === undefined ? [] : await primaryKey(session, parent);
  if (column !== undefined && id !== undefined && others.length === 0) {
    const loose = { ...withoutConstraint, table: child, columns: [column], parentColumns: [id] };
    await checkComparable(session, loose, parent);
    return loose;
  }
  throw new LoadctlError('invalid-profile', `${session.place.name}: ${child.shown} has no foreign key to ${parent.shown}`, {
    hint: `Name the column of ${child.inProfile} that holds the id of a row of ${parent.inProfile}: \`column: …\`.`,
  });
}

/** Throws where the two columns have types that Postgres does not compare. */
async function checkComparable(session: Session, key: ForeignKey, parent: Table): Promise<void> {
  const pairs = `FROM ${key.table.quoted} AS c JOIN ${parent.quoted} AS p ON ${joinKeys(key, 'c', 'p')}`;
  await session.query(`EXPLAIN SELECT 1 ${pairs}`).catch((error: unknown) => {
    if (sqlState(error) !== noSuchOperator) throw error;
    const [column, id] = [`${key.table.shown}.${key.columns}`, `${parent.shown}.${key.parentColumns}`];
    throw new LoadctlError('invalid-profile', `${session.place.name}: ${column} cannot hold what ${id} is: ${serverMessage(error)}`, {
      hint: `Name a column of ${key.table.inProfile} that has the type of ${id}.`,
      cause: error,
    });
  });
}

const noSuchOperator = '42883';

const withoutConstraint = { name: '', onDelete: 'no action', indexed: true } as const;
