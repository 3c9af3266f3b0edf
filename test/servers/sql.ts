import pg from 'pg';
import { onTestFinished } from 'vitest';
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

/** The same URL as another role. */
export function asRole(url: string, role: string, password: string): string {
  const other = new URL(url);
  other.username = role;
  other.password = password;
  return other.toString();
}
