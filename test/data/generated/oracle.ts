import type { Client } from 'pg';

/*
 * Whose a row is, says its column `who`; what others did meanwhile, their own log. Nothing here knows of profiles or of loadctl.
 */

/** A row as text, with the physical table that it is in. */
interface Line {
  readonly place: string;
  readonly line: string;
  readonly who: string;
  /** The transaction that wrote it. */
  readonly xmin: string;
}

/** What there is at one moment. */
export interface Dump {
  readonly others: readonly string[];
  readonly tests: readonly Line[];
}

/** What a writer of others did: rows that it made, and rows that were there before it. */
export interface Log {
  readonly made: string[];
  readonly gone: string[];
}

/** Every table that holds rows itself, as SQL names it. */
export async function physicalTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

/** A query of all rows of these tables that meet a condition on alias t. */
export function linesSql(tables: readonly string[], condition: string): string {
  const each = tables.map(
    (name) =>
      `SELECT '${name.replaceAll("'", "''")}' AS place, t::text AS line, t.who::text AS who, t.xmin::text AS xmin FROM ONLY ${name} AS t WHERE ${condition}`,
  );
  return each.join(' UNION ALL ');
}

/** Reads every row of every table. */
export async function dump(client: Client): Promise<Dump> {
  const { rows } = await client.query<Line>(linesSql(await physicalTables(client), 'true'));
  const others = rows.filter(({ who }) => who === 'other');
  return { others: others.map(asText).sort(), tests: rows.filter(({ who }) => who === 'test') };
}

/** A row of others as the dumps and the logs write it. */
export function asText({ place, line }: Pick<Line, 'place' | 'line'>): string {
  return `${place}: ${line}`;
}

/** How others' rows differ from what they should be: lost or changed ones with `-`, those that nobody wrote with `+`. */
export function differences(before: Dump, logs: readonly Log[], after: Dump): string[] {
  const balance = new Map<string, number>();
  const add = (lines: readonly string[], by: number) => {
    for (const line of lines) balance.set(line, (balance.get(line) ?? 0) + by);
  };
  add(before.others, 1);
  for (const { made, gone } of logs) {
    add(made, 1);
    add(gone, -1);
  }
  add(after.others, -1);
  return [...balance].flatMap(([line, count]) => (count === 0 ? [] : [`${count > 0 ? '-' : '+'} ${line}`])).sort();
}
