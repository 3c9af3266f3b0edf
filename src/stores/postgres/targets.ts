import { LoadctlError } from '../../core/errors.js';
import type { CleanupRows } from '../../profile/schema.js';
import type { StoreTask } from '../types.js';
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
}

/** Finds the tables and columns of every cleanup entry, in the profile's order. */
export async function findTargets(session: Session, { rows, prefix }: StoreTask): Promise<Target[]> {
  const targets: Target[] = [];
  for (const entry of rows) {
    const table = await findTable(session, entry.table);
    targets.push(
      'via' in entry ? await targetVia(session, entry, table, targets) : await targetByColumn(session, entry, table, prefix ?? ''),
    );
  }
  return targets;
}

async function targetByColumn(
  session: Session,
  entry: Extract<CleanupRows, { column: string }>,
  table: Table,
  prefix: string,
): Promise<Target> {
  const { rows } = await session.query<{ type: string; isText: boolean; byIndex: boolean }>(
    `SELECT format_type(a.atttypid, a.atttypmod) AS type, t.typcategory = 'S' AS "isText",
            a.atttypid IN ('text'::regtype, 'varchar'::regtype) AND coalesce(c.collisdeterministic, true) AS "byIndex"
       FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation
      WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped`,
    [table.oid, entry.column],
  );
  const [column] = rows;
  const { place } = session;
  if (!column) {
    throw new LoadctlError('unavailable', `${place.name}: ${table.shown} in the database ${place.database} has no column ${entry.column}`, {
      hint: 'Correct its name under cleanup.rows in the profile.',
    });
  }
  if (!column.isText) {
    throw new LoadctlError('invalid-profile', `${place.name}: ${table.shown}.${entry.column} is ${column.type}, which no prefix fits`, {
      hint: 'Name the text column that holds the test’s ids, or use `via` a table that has one.',
    });
  }
  const name = quoteName(entry.column);
  // LIKE is exact where the collation is deterministic, and can use an index; starts_with on bytes is always exact.
  const predicate = (alias: string) =>
    column.byIndex
      ? `${alias}.${name} LIKE ${likePrefix(prefix)}`
      : `starts_with(${alias}.${name}::text COLLATE "C", ${quoteText(prefix)})`;
  return {
    entry,
    table,
    predicate,
    opposite: (alias) => `(${predicate(alias)}) IS NOT TRUE`,
    which: `${entry.column} begins with ${JSON.stringify(prefix)}`,
  };
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
  if (column !== undefined && id !== undefined && others.length === 0)
    return { ...withoutConstraint, table: child, columns: [column], parentColumns: [id] };
  throw new LoadctlError('invalid-profile', `${session.place.name}: ${child.shown} has no foreign key to ${parent.shown}`, {
    hint: `Name the column of ${child.inProfile} that holds the id of a row of ${parent.inProfile}: \`column: …\`.`,
  });
}

const withoutConstraint = { name: '', onDelete: 'no action' } as const;
