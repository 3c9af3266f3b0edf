import { LoadctlError } from '../../../core/errors.js';
import type { Hazard } from '../../kind/types.js';
import type { Session } from '../connection/session.js';
import { quoteName } from './quote.js';
import type { Table } from './tables.js';

/** Whole numbers from one to another, both included. */
export interface NumberSpan {
  readonly low: bigint;
  readonly high: bigint;
}

/** A column with the numbers in it that are to be the test's alone. */
export interface NumberedColumn {
  readonly table: Table;
  readonly column: string;
  readonly span: NumberSpan;
}

/** A sequence that numbers a column, or one that the column leads to. */
interface Feeding {
  readonly oid: number;
  readonly name: string;
  /** 0: the column itself. */
  readonly depth: number;
}

interface SequenceState extends Feeding {
  readonly start: bigint;
  readonly step: bigint;
  readonly least: bigint;
  readonly most: bigint;
  readonly cycles: boolean;
  /** What it gives next. */
  readonly next: bigint;
  readonly begun: boolean;
}

/** What was found out about the sequences of a column. */
export interface SequenceLook {
  readonly hazards: readonly Hazard[];
  /** Sequences that number the column itself and do not come near. */
  readonly apart: readonly { readonly sequence: string; readonly next: bigint }[];
}

/** So many values ahead a sequence must not come to the test's numbers: an application at work draws them. */
const ahead = 1_000_000n;

/**
 * Looks whether a sequence has come to the test's numbers, or soon will: one that the column owns, one that its default, a
 * function in it or a trigger draws from, and the same of every column that it leads to over foreign keys.
 */
export async function lookAtSequences(session: Session, { table, column, span }: NumberedColumn): Promise<SequenceLook> {
  const hazards: Hazard[] = [];
  const apart: { sequence: string; next: bigint }[] = [];
  for (const feeding of await feedingSequences(session, table, column)) {
    const state = await readSequence(session, feeding, `${table.shown}.${column}`);
    if (comesTo(state, span)) hazards.push(hazardOf(session, { table, column, span }, state));
    else if (state.depth === 0) apart.push({ sequence: state.name, next: state.next });
  }
  return { hazards, apart };
}

/** Every number that it has given, may have given before it was set on, or gives within the next million. */
function comesTo({ start, step, least, most, cycles, next, begun }: SequenceState, { low, high }: NumberSpan): boolean {
  const reach = next + step * (ahead - 1n);
  const past = begun ? next - step : next;
  const from = start > 0n && step > 0n ? 1n : start;
  const marks = [from, start, past, next, reach].map((mark) => (mark < least ? least : mark > most ? most : mark));
  const wraps = cycles && (reach > most || reach < least);
  const [lowest, highest] = wraps ? [least, most] : [smallest(marks), -smallest(marks.map((mark) => -mark))];
  return lowest <= high && low <= highest;
}

function smallest(numbers: readonly bigint[]): bigint {
  return [...numbers].sort((one, other) => (one < other ? -1 : 1))[0] ?? 0n;
}

function hazardOf({ place }: Session, { table, column, span }: NumberedColumn, { name, next, depth }: SequenceState): Hazard {
  const how = depth === 0 ? 'numbers' : 'reaches, over foreign keys,';
  return {
    message: `${place.name}: the sequence ${name} ${how} ${table.shown}.${column} and is at ${next}: it has come to ${span.low}..${span.high}, or will within the next million values`,
    hint: 'Give the set numbers that no sequence comes to, such as `{n+900000000000}` or `{n-1000000000}`.',
  };
}

/** Columns by (relation, attribute): each with those that it leads to, and with the same column of parents and partitions. */
const columnsSql = `
  WITH RECURSIVE reached(rel, att, depth) AS (
    SELECT $1::oid, a.attnum, 0 FROM pg_attribute a WHERE a.attrelid = $1 AND a.attname = $2
    UNION
    SELECT n.rel, n.att, r.depth + n.more FROM reached r CROSS JOIN LATERAL (
      SELECT k.confrelid AS rel, k.confkey[array_position(k.conkey, r.att)] AS att, 1 AS more
        FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = r.rel AND r.att = ANY (k.conkey)
      UNION ALL
      SELECT o.attrelid, o.attnum, 0 FROM pg_inherits i JOIN pg_attribute m ON m.attrelid = r.rel AND m.attnum = r.att
        JOIN pg_attribute o ON o.attname = m.attname AND o.attrelid = CASE WHEN i.inhrelid = r.rel THEN i.inhparent ELSE i.inhrelid END
       WHERE r.rel IN (i.inhrelid, i.inhparent)) AS n
     WHERE r.depth < 32)
  SELECT rel, att, min(depth) AS depth FROM reached GROUP BY rel, att`;

/** Names in the text of a default or a function, from which nextval draws. */
const namesIn = (text: string) =>
  `(SELECT to_regclass(m[1]) FROM regexp_matches(${text}, 'nextval[[:space:]]*[(][[:space:]]*''((?:[^'']|'''')+)''', 'gi') AS m)`;

/** A text as names in it are held against one another: a trigger may write `NEW . "Id"`. */
const bare = (text: string) => `lower(regexp_replace(${text}, '[[:space:]"]', '', 'g'))`;

/** A function in a default, or of a trigger before inserts that has the column in its text. */
const feedingSql = `
  WITH reached AS (${columnsSql}),
  defaults AS (SELECT r.depth, d.oid, pg_get_expr(d.adbin, d.adrelid) AS text FROM reached r JOIN pg_attrdef d ON d.adrelid = r.rel AND d.adnum = r.att),
  functions AS (
    SELECT d.depth, p.oid, p.prosrc FROM defaults d JOIN pg_depend e ON e.classid = 'pg_attrdef'::regclass AND e.objid = d.oid AND e.refclassid = 'pg_proc'::regclass
      JOIN pg_proc p ON p.oid = e.refobjid
    UNION SELECT r.depth, p.oid, p.prosrc FROM reached r JOIN pg_attribute a ON a.attrelid = r.rel AND a.attnum = r.att
      JOIN pg_trigger t ON t.tgrelid = r.rel AND NOT t.tgisinternal AND t.tgtype & 7 = 7
      JOIN pg_proc p ON p.oid = t.tgfoid AND position(${bare("'new.' || a.attname")} IN ${bare('p.prosrc')}) > 0),
  fed AS (
    SELECT r.depth, e.objid AS seq FROM reached r JOIN pg_depend e ON e.refclassid = 'pg_class'::regclass AND e.refobjid = r.rel AND e.refobjsubid = r.att
       AND e.classid = 'pg_class'::regclass AND e.deptype IN ('a', 'i')
    UNION SELECT d.depth, e.refobjid FROM defaults d JOIN pg_depend e ON e.classid = 'pg_attrdef'::regclass AND e.objid = d.oid AND e.refclassid = 'pg_class'::regclass
    UNION SELECT f.depth, e.refobjid FROM functions f JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = f.oid AND e.refclassid = 'pg_class'::regclass
    UNION SELECT d.depth, x FROM defaults d, LATERAL ${namesIn('d.text')} AS s(x)
    UNION SELECT f.depth, x FROM functions f, LATERAL ${namesIn('f.prosrc')} AS s(x))
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, min(f.depth)::int AS depth FROM fed f JOIN pg_class c ON c.oid = f.seq AND c.relkind = 'S'
    JOIN pg_namespace n ON n.oid = c.relnamespace GROUP BY c.oid, n.nspname, c.relname ORDER BY 3, 2`;

async function feedingSequences(session: Session, table: Table, column: string): Promise<Feeding[]> {
  return (await session.query<Feeding & { name: string }>(feedingSql, [table.oid, column])).rows;
}

interface StateRow {
  readonly start: string;
  readonly step: string;
  readonly least: string;
  readonly most: string;
  readonly cycles: boolean;
  readonly readable: boolean;
}

async function readSequence(session: Session, feeding: Feeding, shown: string): Promise<SequenceState> {
  const { rows } = await session.query<StateRow>(
    `SELECT seqstart::text AS start, seqincrement::text AS step, seqmin::text AS least, seqmax::text AS most, seqcycle AS cycles,
            has_sequence_privilege(seqrelid, 'SELECT') AS readable FROM pg_sequence WHERE seqrelid = $1`,
    [feeding.oid],
  );
  const [state] = rows;
  if (!state?.readable) throw unreadable(session, feeding, shown);
  const { rows: now } = await session.query<{ last: string; begun: boolean }>(
    `SELECT last_value::text AS last, is_called AS begun FROM ${feeding.name}`,
  );
  const step = BigInt(state.step);
  const last = BigInt(now[0]?.last ?? state.start);
  const begun = now[0]?.begun ?? false;
  return {
    ...feeding,
    start: BigInt(state.start),
    step,
    least: BigInt(state.least),
    most: BigInt(state.most),
    cycles: state.cycles,
    next: begun ? last + step : last,
    begun,
  };
}

function unreadable({ place }: Session, { name }: Feeding, shown: string): LoadctlError {
  return new LoadctlError('unavailable', `${place.name}: the role ${place.role} may not see how far ${name} is, which numbers ${shown}`, {
    hint: `As the owner, run: GRANT SELECT ON SEQUENCE ${name} TO ${quoteName(place.role)};`,
  });
}
