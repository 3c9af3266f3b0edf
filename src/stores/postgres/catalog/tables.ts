import { LoadctlError } from '../../../core/errors.js';
import { quotedWhereNeeded } from '../../../profile/words/names.js';
import type { Session } from '../connection/session.js';
import { quoteName } from './quote.js';

/** A table that was found in the database. */
export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As SQL reads it back. */
  readonly quoted: string;
  /** As people read it: `public.users`. */
  readonly shown: string;
  /** As a profile names it behind the store: without the schema where the search path finds it. */
  readonly inProfile: string;
}

interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly visible: boolean;
}

/** The tables whose `pg_class` row `condition` picks. */
export async function listTables(session: Session, condition: string, values: readonly unknown[]): Promise<(Table & { kind: string })[]> {
  const { rows } = await session.query<TableRow>(
    `SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, pg_table_is_visible(c.oid) AS visible
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${condition}`,
    values,
  );
  return rows.map(({ oid, schema, name, kind, visible }) => ({
    oid,
    schema,
    name,
    kind,
    quoted: `${quoteName(schema)}.${quoteName(name)}`,
    shown: `${schema}.${name}`,
    inProfile: visible ? quotedWhereNeeded(name) : `${quotedWhereNeeded(schema)}.${quotedWhereNeeded(name)}`,
  }));
}

/** Finds a table by its name, exactly as it is written (no folding to lower case). Without `schema` the search path decides. */
export async function findTable(session: Session, name: string, schema?: string): Promise<Table> {
  // A name with its schema is found without USAGE of it, so that what is missing can be told.
  const [table] =
    schema === undefined
      ? await listTables(session, 'c.oid = to_regclass($1)', [quoteName(name)])
      : await listTables(session, 'c.relname = $1 AND n.nspname = $2', [name, schema]);
  // Postgres cuts a name after 63 bytes, and would find another table.
  if (table?.name === name) return checkKind(session, table);
  const { place } = session;
  const { rows } = await session.query<{ path: string }>(`SELECT array_to_string(current_schemas(false), ', ') AS path`);
  const where = schema === undefined ? `searched ${rows[0]?.path || 'no schema'}` : `in the schema ${schema}`;
  throw new LoadctlError('unavailable', `${place.name}: there is no table ${name} in the database ${place.database} (${where})`, {
    hint: 'Create it (run your migrations), fix its name in the profile, or name its schema: `store.schema.table`.',
  });
}

function checkKind(session: Session, table: Table & { kind: string }): Table {
  if (table.kind === 'r' || table.kind === 'p') return table;
  throw new LoadctlError('invalid-profile', `${session.place.name}: ${table.shown} is not a table (a view, or something else)`, {
    hint: 'Name the table behind it.',
  });
}

/** Throws `unavailable` where nothing can be written: a replica, or a read-only database. */
export async function checkWritable(session: Session): Promise<void> {
  const { rows } = await session.query<{ readonly: boolean }>(`SELECT current_setting('transaction_read_only')::bool AS readonly`);
  if (!rows[0]?.readonly) return;
  const { name, database } = session.place;
  throw new LoadctlError('unavailable', `${name}: the database ${database} is read-only`, {
    hint: 'Name the primary in the URL, not a replica; or find what sets default_transaction_read_only.',
  });
}
