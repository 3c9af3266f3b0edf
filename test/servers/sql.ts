import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import type { PostgresServer } from './postgres.js';

/** A database of one test's own, and a connection to it. */
export interface TestDatabase {
  readonly url: string;
  /** Runs SQL and hands back the rows. */
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

let databases = 0;

/** Makes a database, runs `setup` in it, and closes the connection when the test is over. */
export async function testDatabase(server: PostgresServer, setup = ''): Promise<TestDatabase> {
  const url = await server.createDatabase(`test${++databases}`);
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  if (setup !== '') await client.query(setup);
  return { url, sql: async (text, values) => (await client.query(text, values ? [...values] : undefined)).rows };
}

/** Waits until a session waits for a lock, which may be one of this connection's; then until as many `times` others did. */
export async function somebodyWaits(sql: TestDatabase['sql'], times = 1): Promise<void> {
  const waits = new Set<unknown>();
  const look = async () => {
    for (const { wait } of await sql('SELECT virtualtransaction AS wait FROM pg_locks WHERE NOT granted')) waits.add(wait);
    return waits.size;
  };
  await expect.poll(look, { timeout: 20_000, interval: 20 }).toBeGreaterThanOrEqual(times);
}

/** The same URL as another role. */
export function asRole(url: string, role: string, password: string): string {
  const other = new URL(url);
  other.username = role;
  other.password = password;
  return other.toString();
}

/** Everything in the database, whoever's it is. */
export async function contentOf(sql: TestDatabase['sql']): Promise<unknown> {
  const tables = await sql(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname !~ '^(pg_|information)' ORDER BY 1`,
  );
  const content: unknown[] = [];
  for (const { name } of tables) content.push([name, await sql(`SELECT t::text FROM ${name} AS t ORDER BY 1`)]);
  return content;
}

/** The password of a URL, as it is. */
export function passwordIn(url: string): string {
  return decodeURIComponent(new URL(url).password);
}
