import { LoadctlError } from '../../../core/errors.js';
import type { Hazard } from '../../kind/types.js';
import type { Session } from '../connection/session.js';
import { type Feeding, feedingSequences } from './feeding.js';
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
  /** Sequences that number the column itself and do not come near, or may: of a column that need not be unique. */
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

/** The sequences that number a column itself, with what each gives next; of one that the role may not read nothing is told. */
export async function ownSequences(session: Session, { table, column }: NumberedColumn): Promise<SequenceLook['apart']> {
  const found: { sequence: string; next: bigint }[] = [];
  for (const feeding of await feedingSequences(session, table, column)) {
    if (feeding.depth > 0) continue;
    const state = await readSequence(session, feeding, `${table.shown}.${column}`).catch((error: unknown) => {
      if (error instanceof LoadctlError && error.reason === 'unavailable') return undefined;
      throw error;
    });
    if (state !== undefined) found.push({ sequence: state.name, next: state.next });
  }
  return found;
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
