import { errorMessage, LoadctlError } from '../../core/errors.js';
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
  return {
    source,
    drop: session.drop,
    remarks: () => (isMany(estimate) ? [seldom(source, estimate)] : []),
    look: () =>
      session.use(async (open) => {
        estimate ??= await rowsExpected(open, counted).catch((error: unknown) => {
          throw badCondition(error, monitor);
        });
        const values = await inReadOnly(open, counted, monitor.every / 2);
        return [{ source, values, ...(isMany(estimate) && monitor.every < seldomMs ? { everyMs: seldomMs } : {}) }];
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

function isMany(estimate: number | undefined): estimate is number {
  return (estimate ?? 0) > manyRows;
}

function seldom(source: string, estimate: number): string {
  return `${source}: EXPLAIN expects ${Math.round(estimate)} rows to be counted: that is done every 5 s at most.`;
}

function countOf({ of, store = '', table = '', where, age }: MonitorOf<'queue'>): string {
  const name = readTableName(`${store}.${table}`);
  const from =
    name === undefined
      ? quoteName(table)
      : [name.schema, name.table].flatMap((part) => (part === undefined ? [] : [quoteName(part)])).join('.');
  const oldest =
    age === undefined || of === undefined ? '' : `, extract(epoch FROM clock_timestamp() - min(${quoteName(age)})) * 1000 AS "ageMs"`;
  return `SELECT count(*) AS depth${oldest} FROM ${from}${where === undefined ? '' : ` WHERE (${where})`}`;
}

/** How many rows the count itself reads, as the planner expects. */
async function rowsExpected(session: Session, count: string): Promise<number> {
  const { rows } = await session.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(`EXPLAIN (FORMAT JSON) ${count}`);
  const [plan] = rows[0]?.['QUERY PLAN'] ?? [];
  return plan === undefined ? 0 : mostRows(plan.Plan);
}

interface PlanNode {
  readonly 'Plan Rows'?: number;
  readonly Plans?: readonly PlanNode[];
}

function mostRows({ 'Plan Rows': rows = 0, Plans = [] }: PlanNode): number {
  return Math.max(rows, ...Plans.map(mostRows));
}

/** Nothing is written, and a count that takes too long is ended by the server. */
async function inReadOnly(session: Session, count: string, limitMs: Milliseconds) {
  await session.query('BEGIN READ ONLY');
  try {
    await session.query(`SET LOCAL statement_timeout = ${Math.max(1, Math.round(limitMs))}`);
    const { rows } = await session.query(count);
    return { depth: 0, ...(rows[0] === undefined ? {} : withAge(numbersIn(rows[0]))) };
  } finally {
    await session.query('ROLLBACK');
  }
}

/** An empty queue has no oldest entry. */
function withAge(values: ReturnType<typeof numbersIn>) {
  return values.depth === 0 ? { ageMs: 0, ...values } : values;
}
