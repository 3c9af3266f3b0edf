import { setTimeout as passes } from 'node:timers/promises';
import type { Client } from 'pg';
import { type Draw, drawFrom } from './draw.js';
import { type SchemaModel, sqlName, type TableModel } from './model.js';
import { asText, type Log, linesSql, physicalTables } from './oracle.js';
import { insertSql, type Wanted } from './rows.js';

/** Somebody who writes while loadctl works. */
export interface Writer {
  readonly log: Log;
  /** How many transactions are in. */
  readonly committed: () => number;
  /** Lets it end with the transaction that is on its way. */
  stop(): Promise<void>;
}

/** One transaction's work; where it fails it is taken back, and nothing is logged. */
type Work = (client: Client, turn: number) => Promise<readonly string[]>;

/** Writes as others do, until it is stopped: rows of theirs come, change and go. */
export async function startOthers(client: Client, model: SchemaModel, seed: number, late: readonly Late[]): Promise<Writer> {
  const draw = drawFrom(seed);
  const tables = await physicalTables(client);
  const free = await unreferenced(client, model.tables);
  const work: Work = async (_, turn) => {
    const table = draw.of(model.tables);
    const [row] = late.length > 0 && draw.chance(0.3) ? [draw.of(late)] : [];
    const from = 2000 + turn * 3;
    if (row !== undefined) return nothing(await client.query(insertSql(model, row.table, { ...row.wanted, from, to: from })));
    const action = draw.of(['insert', 'insert', 'update', 'delete']);
    if (action === 'insert')
      return nothing(
        await client.query(insertSql(model, table, { who: 'other', from, to: from + draw.int(0, 2), ...heirOf(draw, table) })),
      );
    if (action === 'delete' && !free.has(table.index)) return [];
    return changeOne(client, draw, table, action === 'delete');
  };
  return start(client, work, { tables, most: Number.POSITIVE_INFINITY });
}

/** A row of others that comes to reference the test's. */
export interface Late {
  readonly table: TableModel;
  readonly wanted: Omit<Wanted, 'from' | 'to'>;
}

/** Writes as an application under test does: so many transactions, one after another. */
export function startApplication(
  client: Client,
  model: SchemaModel,
  { seed, from, most }: { seed: number; from: number; most: number },
): Writer {
  const draw = drawFrom(seed);
  const listed = model.tables.filter(({ entry }) => entry !== undefined);
  const work: Work = async (_, turn) => {
    const first = from + turn * 3;
    if (listed.length === 0) return [];
    const table = draw.of(listed);
    if (draw.chance(0.2)) return nothing(await client.query(moveSql(table)));
    return nothing(
      await client.query(insertSql(model, table, { who: 'test', from: first, to: first + draw.int(0, 2), ...heirOf(draw, table) })),
    );
  };
  return start(client, work, { tables: [], most: listed.length === 0 ? 0 : most });
}

/** Changes one of the application's own rows; where a list tells partitions apart, it moves to another one. */
function moveSql(table: TableModel): string {
  const one = `SELECT tableoid, ctid FROM ${sqlName(table)} WHERE who = 'test' AND note = 'app' ORDER BY random() LIMIT 1`;
  const moved = table.layout === 'list' ? ", region = CASE region WHEN 'eu' THEN 'us' ELSE 'eu' END" : '';
  return `UPDATE ${sqlName(table)} SET price = 55${moved} WHERE (tableoid, ctid) = (${one})`;
}

function nothing(_: unknown): readonly string[] {
  return [];
}

export function heirOf(draw: Draw, table: TableModel): Pick<Wanted, 'heir'> {
  return table.heirs.length > 0 && draw.chance(0.4) ? { heir: draw.of(table.heirs) } : {};
}

/** Changes or takes a row of others. With what inherits it goes table by table: only there is a row's text whole. */
async function changeOne(client: Client, draw: Draw, table: TableModel, isDelete: boolean): Promise<string[]> {
  const name = table.heirs.length === 0 ? sqlName(table) : `ONLY ${sqlName({ ...table, name: draw.of([table.name, ...table.heirs]) })}`;
  const one = `SELECT tableoid AS part, ctid AS place, tableoid::regclass::text AS shown, x::text AS line FROM ${name} AS x WHERE who = 'other' ORDER BY random() LIMIT 1 FOR UPDATE`;
  const same = 't.tableoid = one.part AND t.ctid = one.place';
  const change = isDelete
    ? `DELETE FROM ${name} AS t USING one WHERE ${same}`
    : `UPDATE ${name} AS t SET note = 'w' || (random() * 1e6)::int FROM one WHERE ${same}`;
  const { rows } = await client.query<{ place: string; line: string }>(
    `WITH one AS MATERIALIZED (${one}) ${change} RETURNING (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = one.part) AS place, one.line`,
  );
  return rows.map(asText);
}

const mine = "t.who = 'other' AND t.xmin::text = (pg_current_xact_id()::text::numeric % 4294967296)::text";

/** Runs statements that insert rows of others, and logs those. */
export async function runLogged(client: Client, statements: readonly string[]): Promise<Log> {
  await client.query('BEGIN');
  for (const sql of statements) await client.query(sql);
  const { rows } = await client.query<{ place: string; line: string }>(linesSql(await physicalTables(client), mine));
  await client.query('COMMIT');
  return { made: rows.map(asText), gone: [] };
}

function start(client: Client, work: Work, { tables, most }: { readonly tables: readonly string[]; readonly most: number }): Writer {
  const log: Log = { made: [], gone: [] };
  let [isStopped, committed, begun] = [false, 0, performance.now()];
  const rest = () => Math.max(4, 2 * (performance.now() - begun));
  const made = linesSql(tables, mine);
  const run = async () => {
    for (let turn = 0; turn < most && !isStopped; turn++) {
      try {
        await passes(rest()); // others are busy, and leave the machine to loadctl all the same
        begun = performance.now();
        await client.query('BEGIN');
        const gone = await work(client, turn);
        const rows = tables.length === 0 ? [] : (await client.query<{ place: string; line: string }>(made)).rows;
        await client.query('COMMIT');
        committed += 1;
        log.made.push(...rows.map(asText));
        log.gone.push(...gone);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        await client.query('ROLLBACK');
      }
    }
  };
  const ended = run();
  ended.catch(() => undefined);
  return {
    log,
    committed: () => committed,
    stop: () => {
      isStopped = true;
      return ended;
    },
  };
}

/** What a database says to a client whose row it does not take: integrity, a trigger, a deadlock, a lock. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(23|40|55|P0|42501|44)/.test(String(error.code));
}

/** Tables whose rows nobody references, in no partition either: what goes there takes nothing along. */
async function unreferenced(client: Client, tables: readonly TableModel[]): Promise<Set<number>> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_constraint k JOIN pg_class c ON c.oid IN (k.confrelid, pg_partition_root(k.confrelid)) JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f'`,
  );
  const taken = new Set(rows.map(({ schema, name }) => `${schema}.${name}`));
  return new Set(
    tables.filter((table) => ![table.name, ...table.heirs].some((name) => taken.has(`${table.schema}.${name}`))).map(({ index }) => index),
  );
}
