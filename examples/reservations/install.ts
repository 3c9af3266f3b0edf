import { existsSync, readFileSync } from 'node:fs';
import pg from 'pg';

/** Makes the service's tables, and with `demoData` what was there before any load test. */
export async function installSchema(databaseUrl: string, { demoData = true }: { readonly demoData?: boolean } = {}): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(read('schema.sql'));
    if (demoData) await client.query(read('demo-data.sql'));
  } finally {
    await client.end();
  }
}

/** The compiler copies no SQL: from dist/examples/reservations the files are found in the source tree. */
function read(name: string): string {
  const besides = new URL(name, import.meta.url);
  return readFileSync(existsSync(besides) ? besides : new URL(`../../../examples/reservations/${name}`, import.meta.url), 'utf8');
}
