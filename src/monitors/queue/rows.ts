import { errorMessage, LoadctlError } from '../../core/errors.js';
import type { MonitorValues } from '../../core/monitors.js';
import type { Milliseconds } from '../../core/quantities.js';
import { readTableName } from '../../profile/words/names.js';
import { quoteName } from '../../stores/postgres/catalog/quote.js';
import { sqlState } from '../../stores/postgres/connection/errors.js';
import type { Address } from '../../stores/postgres/connection/places.js';
import type { Session } from '../../stores/postgres/connection/session.js';
import { databaseName, heldSession } from '../kind/databases.js';
import { numbersIn } from '../kind/numbers.js';
import type { MonitorContext, MonitorOf, Probe } from '../kind/types.js';

/** Counting more rows than this is load by itself: it is done less often. */
const manyRows = 10_000;
const seldomMs: Milliseconds = 5000;

/** The rows that wait in one database. */
export function rowsProbe(address: Address, monitor: MonitorOf<'queue'>, context: MonitorContext): Probe {
  const source = databaseName(address);
  const session = heldSession(address, context);
  const counted = countOf(monitor);
  let estimate: number | undefined;
  let doubt: string | undefined;
  return {
    source,
    drop: session.drop,
    remarks: () => [...(isMany(estimate) ? [seldom(source, estimate)] : []), ...(doubt === undefined ? [] : [`${source}: ${doubt}`])],
    look: () =>
      session.use(async (open) => {
        const looked = await inReadOnly(open, monitor.every / 2, async () => {
          const isFirst = estimate === undefined;
          estimate ??= await rowsExpected(open, counted);
          const rows = await countRows(open, counted);
          if (isFirst && rows.depth === 0) doubt = await doubtOf(open, monitor);
          return rows;
        }).catch((error: unknown) => {
          throw badCondition(error, monitor);
        });
        // A queue that was short when it was looked at first may have grown.
        const isLoad = isMany(estimate) || isMany(looked.depth);
        return [{ source, values: looked, ...(isLoad && monitor.every < seldomMs ? { everyMs: seldomMs } : {}) }];
      }),
  };
}

/** What is no SQL comes from the condition: syntax, operators, functions, types. */
function badCondition(error: unknown, { where }: MonitorOf<'queue'>): unknown {
  const state = sqlState(error) ?? '';
  if (where === undefined || !/^(42601|42883|42804|42P1|22)/.test(state)) return error;
  return new LoadctlError('unavailable', errorMessage(error), {
    hint: 'Correct `where` of the monitor: a condition in SQL.',
    cause: error,
  });
}

function isMany(rows: number | undefined): rows is number {
  return (rows ?? 0) > manyRows;
}

function seldom(source: string, estimate: number): string {
  return `${source}: EXPLAIN expects ${Math.round(estimate)} rows to be read: they are counted every 5 s at most.`;
}

/** Why a queue in which nothing waits may be none. */
async function doubtOf(session: Session, monitor: MonitorOf<'queue'>): Promise<string | undefined> {
  const table = tableOf(monitor);
  const { rows } = await session.query<{ some: boolean; hidden: boolean }>(
    `SELECT EXISTS (SELECT FROM ${table}) AS some, row_security_active($1::regclass) AS hidden`,
    [table],
  );
  if (rows[0]?.hidden === true) return `row-level security may hide rows of ${table} from the role of this monitor.`;
  if (rows[0]?.some !== true) return `${table} has no rows now. Correct \`table\` where entries wait in another one.`;
  return monitor.where === undefined
    ? undefined
    : `no row of ${table} fits \`where\` now: an empty queue looks like a condition that nothing fits. Correct it unless nothing waits.`;
}

function tableOf({ store = '', table = '' }: MonitorOf<'queue'>): string {
  const name = readTableName(`${store}.${table}`);
  if (name === undefined) return quoteName(table);
  return [name.schema, name.table].flatMap((part) => (part === undefined ? [] : [quoteName(part)])).join('.');
}

function countOf(monitor: MonitorOf<'queue'>): string {
  const { of, where, age } = monitor;
  const oldest =
    age === undefined || of === undefined ? '' : `, extract(epoch FROM clock_timestamp() - min(${quoteName(age)})) * 1000 AS "ageMs"`;
  // The condition may end in a comment.
  return `SELECT count(*) AS depth${oldest} FROM ${tableOf(monitor)}${where === undefined ? '' : ` WHERE (${where}\n)`}`;
}

/** How many rows the count itself reads, as the planner expects: of a table that is scanned all, whatever the condition leaves of them. */
async function rowsExpected(session: Session, count: string): Promise<number> {
  const { rows } = await session.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(`EXPLAIN (FORMAT JSON, VERBOSE) ${count}`);
  const nodes = (rows[0]?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => nodesIn(Plan));
  const scanned = nodes.flatMap(({ 'Node Type': type, Schema: schema, 'Relation Name': table }) =>
    type === 'Seq Scan' && schema !== undefined && table !== undefined ? [`${quoteName(schema)}.${quoteName(table)}`] : [],
  );
  return Math.max(await rowsIn(session, scanned), ...nodes.map((node) => node['Plan Rows'] ?? 0));
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly 'Plan Rows'?: number;
  readonly Plans?: readonly PlanNode[];
}

function nodesIn(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesIn)];
}

/** What the statistics know of the rows of tables. */
async function rowsIn(session: Session, tables: readonly string[]): Promise<number> {
  const known = 'SELECT coalesce(sum(greatest(reltuples, 0)), 0) AS rows FROM pg_class WHERE oid = ANY ($1::regclass[])';
  const { rows } = await session.query<{ rows: number }>(known, [tables]);
  return Number(rows[0]?.rows ?? 0);
}

/** Nothing is written, and a count that takes too long is ended by the server. */
async function inReadOnly<T>(session: Session, limitMs: Milliseconds, work: () => Promise<T>): Promise<T> {
  await session.query('BEGIN READ ONLY');
  try {
    await session.query(`SET LOCAL statement_timeout = ${Math.max(1, Math.round(limitMs))}`);
    return await work();
  } finally {
    await session.query('ROLLBACK');
  }
}

async function countRows(session: Session, count: string): Promise<MonitorValues> {
  const { rows } = await session.query(count);
  return { depth: 0, ...(rows[0] === undefined ? {} : withAge(numbersIn(rows[0]))) };
}

/** An empty queue has no oldest entry; by a clock that is ahead of the database's none has waited yet. */
function withAge({ ageMs = Number.NaN, ...values }: MonitorValues): MonitorValues {
  if (!Number.isNaN(ageMs)) return { ...values, ageMs: Math.max(0, ageMs) };
  return values.depth === 0 ? { ageMs: 0, ...values } : values;
}
