import type { PostgresStore } from '../../../profile/sections/schema.js';
import type { StoreContext } from '../../kind/types.js';
import { quoteName } from '../catalog/quote.js';
import { sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { inSession } from './in-session.js';
import type { OutlineTable } from './types.js';

/** Texts of columns by their names; a column that is not among them is NULL. */
export type Values = ReadonlyMap<string, string>;

/** Whether Postgres would take these values of a table's columns, as far as types and the checks of these columns alone tell. */
export type Fits = (table: OutlineTable, values: Values) => Promise<boolean>;

/**
 * Has Postgres itself try values against types, domains and checks: by SELECTs of constants in transactions that may only read.
 * Checks that call functions of the application are not tried.
 */
export async function tryValues<T>(config: PostgresStore, context: StoreContext, work: (fits: Fits) => Promise<T>): Promise<T> {
  return inSession(config, context, (session) => work((table, values) => fits(session, table, values)));
}

async function fits(session: Session, table: OutlineTable, values: Values): Promise<boolean> {
  await session.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = '2s'`);
  try {
    const { rows } = await session.query<{ fits: boolean }>(trialSql(table, values), [...values.values()]);
    return rows[0]?.fits === true;
  } catch (error) {
    // Class 57: the session is at its end, or somebody wants it to be.
    if (sqlState(error)?.startsWith('57') !== false) throw error;
    return false;
  } finally {
    await session.query('ROLLBACK');
  }
}

function trialSql({ columns, checks }: OutlineTable, values: Values): string {
  const names = [...values.keys()];
  const tried = names.map((name, index) => {
    const type = columns.find((column) => column.name === name)?.type ?? 'text';
    return `CAST($${index + 1}::text AS ${type}) AS ${quoteName(name)}`;
  });
  const held = checks.filter((check) => check.isPlain && check.columns.length > 0 && check.columns.every((name) => values.has(name)));
  const holds = held.map(({ sql }) => `(${sql}) IS NOT FALSE`);
  return `SELECT ${['true', ...names.map((name) => `t.${quoteName(name)} IS NOT NULL`), ...holds].join(' AND ')} AS fits FROM (SELECT ${tried.join(', ')}) AS t`;
}
