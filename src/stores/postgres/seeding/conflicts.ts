import { type ConflictCause, type Conflicts, noConflicts } from '../../kind/types.js';
import { quoteText } from '../catalog/quote.js';
import { serverMessage, sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { differencesOf } from '../rows/differences.js';
import { describeRow, type SeededRows, sameKey, sameRow } from '../rows/seeded-rows.js';

/** Rows that are not in their table as they should be, once those that were not there have been inserted. */
export interface Missing {
  readonly rows: SeededRows;
  /** The quoted name of the stage. */
  readonly stage: string;
  /** The stage's rows (alias s) that are missing, after FROM. */
  readonly source: string;
  /** Inserts the rows that a source has; a conflict ends the statement. */
  insertFrom(source: string): string;
}

const shownOfEach = 3;

/** Finds out why, and says it once for all rows of one cause. */
export async function findConflicts(session: Session, missing: Missing): Promise<Conflicts> {
  const counted = await session.query<{ count: string }>(`SELECT count(*) FROM ${missing.source}`);
  const count = Number(counted.rows[0]?.count);
  if (count === 0) return noConflicts;
  const changed = await changedRows(session, missing);
  const { causes, unexplained } = await takenValues(session, missing);
  return { count, causes: [...changed, ...causes, ...(await otherCauses(session, missing, unexplained))] };
}

interface Grouped {
  readonly columns: string[];
  readonly count: string;
  readonly first: string[];
}

/** A row with the key is there, and differs. */
async function changedRows(session: Session, { rows, stage }: Missing): Promise<ConflictCause[]> {
  if (!rows.key) return [];
  const names = rows.compared.map((column) => `CASE WHEN NOT (${sameRow([column], 't', 's')}) THEN ${quoteText(column.name)} END`);
  const differing = names.length === 0 ? `'{}'::text[]` : `array_remove(ARRAY[${names.join(', ')}], NULL)`;
  const pairs = `SELECT ${differing} AS columns, s.${rows.ordinal} AS n FROM ${stage} AS s JOIN ${rows.table.quoted} AS t ON ${sameKey(rows.key, 't', 's')}`;
  const { rows: groups } = await session.query<Grouped>(
    `SELECT columns, count(*), (array_agg(n ORDER BY n))[:${shownOfEach}] AS first FROM (${pairs}) AS d WHERE cardinality(columns) > 0 GROUP BY columns ORDER BY 2 DESC, 1`,
  );
  const causes: ConflictCause[] = [];
  for (const { columns, count, first } of groups) {
    const ours = await wroteOurselves(session, { rows, stage }, rows.key, first);
    const what = `${name(session, rows)}: ${columns.join(', ')} ${columns.length === 1 ? 'differs' : 'differ'}${ours ? ' from what this seed wrote: it has another row with this key, or a trigger or the column’s type changed it' : ''}`;
    const examples = (await differencesOf(session, rows, first.map(Number), sameKey(rows.key, 't', 's'))).map(({ text }) => text);
    // Where the key itself differs (in case, to a collation that takes both for one) the row is another one's.
    const isOfSet = rows.own?.key.every((column) => !columns.includes(column.name)) === true;
    causes.push({ what, count: Number(count), examples, ...(ours ? { fix: 'profile' } : isOfSet ? { fix: 'reset' } : {}) });
  }
  return causes;
}

async function wroteOurselves(
  session: Session,
  { rows, stage }: Pick<Missing, 'rows' | 'stage'>,
  columns: readonly string[],
  numbers: readonly string[],
): Promise<boolean> {
  const { rows: found } = await session.query<{ ours: boolean }>(
    `SELECT bool_or(t.xmin::text = (txid_current() % 4294967296)::text) AS ours FROM ${stage} AS s JOIN ${rows.table.quoted} AS t
       ON ${sameKey(columns, 't', 's')} WHERE s.${rows.ordinal} = ANY ($1::bigint[])`,
    [numbers],
  );
  return found[0]?.ours ?? false;
}

/** No row with the key is there, but another one that holds a value which must be unique. */
async function takenValues(
  session: Session,
  { rows, stage, source }: Missing,
): Promise<{ readonly causes: readonly ConflictCause[]; readonly unexplained: string }> {
  const causes: ConflictCause[] = [];
  const before: string[] = rows.key ? [`NOT EXISTS (SELECT 1 FROM ${rows.table.quoted} AS t WHERE ${sameKey(rows.key, 't', 's')})`] : [];
  for (const columns of rows.unique) {
    if (columns === rows.key) continue;
    const taken = `EXISTS (SELECT 1 FROM ${rows.table.quoted} AS t WHERE ${sameKey(columns, 't', 's')})`;
    const held = `SELECT s.${rows.ordinal} AS n FROM (SELECT s.* FROM ${source}) AS s WHERE ${[...before, taken].join(' AND ')}`;
    const {
      rows: [group],
    } = await session.query<{ count: string; first: string[] | null }>(
      `SELECT count(*), (array_agg(n ORDER BY n))[:${shownOfEach}] AS first FROM (${held}) AS d`,
    );
    before.push(`NOT ${taken}`);
    if (group === undefined || Number(group.count) === 0) continue;
    const ours = await wroteOurselves(session, { rows, stage }, columns, group.first ?? []);
    const what = `${name(session, rows)}: another row${ours ? ' of this seed' : ''} has the same ${columns.join(', ')}`;
    const examples = (group.first ?? []).map((n) => describeRow(rows, Number(n), columns));
    causes.push({ what, count: Number(group.count), examples, ...(ours ? { fix: 'profile' } : {}) });
  }
  return { causes, unexplained: `(SELECT s.* FROM ${source}) AS s WHERE ${['true', ...before].join(' AND ')}` };
}

/** Whatever else: the server says of the first ones what is in their way. */
async function otherCauses(session: Session, missing: Missing, unexplained: string): Promise<ConflictCause[]> {
  const { rows } = missing;
  const {
    rows: [group],
  } = await session.query<{ count: string; first: string[] | null }>(
    `SELECT count(*), (array_agg(s.${rows.ordinal} ORDER BY s.${rows.ordinal}))[:${shownOfEach}] AS first FROM ${unexplained}`,
  );
  const count = Number(group?.count ?? 0);
  if (count === 0) return [];
  const examples: string[] = [];
  for (const n of group?.first ?? [])
    examples.push(`${describeRow(rows, Number(n))}: ${await whyNotInserted(session, missing, Number(n))}`);
  return [{ what: `${name(session, rows)}: cannot be inserted as seeded`, count, examples }];
}

/** Inserts one row alone, so that the server says what is in its way; the row is taken back. */
async function whyNotInserted(session: Session, { rows, stage, insertFrom }: Missing, n: number): Promise<string> {
  await session.query('SAVEPOINT loadctl_one');
  try {
    await session.query(insertFrom(`${stage} AS s WHERE s.${rows.ordinal} = ${n}`));
    return 'it is missing after INSERT: a trigger, rule or row-level security policy discarded it';
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    return `another row is in the way: ${serverMessage(error)}`;
  } finally {
    await session.query('ROLLBACK TO SAVEPOINT loadctl_one');
  }
}

function name({ place }: Session, { table }: SeededRows): string {
  return `${place.name}: ${table.shown}`;
}
