import { LoadctlError } from '../../../core/errors.js';
import { formatCount } from '../../../core/quantities.js';
import type { ConflictCause, Conflicts } from '../../kind/types.js';
import { serverMessage, sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { differencesOf } from '../rows/differences.js';
import { describeRow, type SeededRows, sameKey } from '../rows/seeded-rows.js';
import { countNumbers, eachNumber, partOf, type RowNumbers } from '../rows/shards.js';
import { type Conflicting, columnThatCannotHold, countAbsent, type Look } from './look.js';

/** What a look found in the way of a set's rows, in words. With `isOurs` the rows that differ were written a moment ago. */
export async function conflictsIn(session: Session, rows: SeededRows, look: Look, isOurs = false): Promise<Conflicts> {
  const causes: ConflictCause[] = [];
  const inOrder = [...look.conflicts].sort((one, other) =>
    one.kind < other.kind ? -1 : one.kind > other.kind ? 1 : other.count - one.count,
  );
  for (const conflict of inOrder) causes.push(await causeOf(session, rows, conflict, isOurs));
  return { count: causes.reduce((sum, { count }) => sum + count, 0), causes };
}

async function causeOf(
  session: Session,
  rows: SeededRows,
  { kind, columns, count, first }: Conflicting,
  isOurs: boolean,
): Promise<ConflictCause> {
  if (kind !== 'changed') {
    const whose = kind === 'taken' ? 'another row' : 'a row of a table that inherits from it';
    const what = `${name(session, rows)}: ${whose} has the same ${columns.join(', ')}`;
    return { what, count, examples: first.map((n) => describeRow(rows, n, columns)) };
  }
  const ours = isOurs ? ' from what this seed wrote: a trigger or the column’s type changed it' : '';
  const what = `${name(session, rows)}: ${columns.join(', ')} ${columns.length === 1 ? 'differs' : 'differ'}${ours}`;
  const key = rows.columns.filter((column) => rows.key?.includes(column.name));
  const examples = (await differencesOf(session, rows, first, sameKey(key, 't', 's'))).map(({ text }) => text);
  // Where the key itself differs (in case, to a collation that takes both for one) the row is another one's.
  const isOfSet = rows.own?.key.every((column) => !columns.includes(column.name)) === true;
  return { what, count, examples, ...(isOurs ? { fix: 'profile' } : isOfSet ? { fix: 'reset' } : {}) };
}

/** The error for rows that were written and are not there as they were, found before the transaction ended. */
export async function notAsWritten(session: Session, rows: SeededRows, look: Look): Promise<LoadctlError> {
  const { causes } = await conflictsIn(session, rows, look, true);
  const missing = look.absent.flatMap((numbers) => [...eachNumber(partOf(numbers, 0, 3))]).slice(0, 3);
  const why = 'it is missing after INSERT: a trigger, rule or row-level security policy discarded it, or another session deleted it';
  const swallowed = {
    what: `${name(session, rows)}: cannot be inserted as seeded`,
    count: countAbsent(look),
    examples: missing.map((n) => `${describeRow(rows, n)}: ${why}`),
  };
  const all = [...causes, ...(swallowed.count > 0 ? [swallowed] : [])];
  return conflicting(`${name(session, rows)}: rows are not there as they were written`, all, 'Find what changes them on their way in.');
}

function conflicting(message: string, causes: readonly ConflictCause[], hint: string): LoadctlError {
  const lines = causes.flatMap(({ what, count, examples }) => [
    `${what} (${formatCount(count)})`,
    ...examples.map((example) => `  ${example}`),
  ]);
  return new LoadctlError('seeding-failed', message, { hint, lines });
}

/**
 * What the server says about the rows themselves (classes 22, 23, 44, 54; what a trigger raises) is the seed's failure. Where the
 * session is in no transaction any more the column is named that cannot hold its value.
 */
export async function seedingFailure(session: Session, rows: SeededRows, error: unknown): Promise<unknown> {
  const state = sqlState(error);
  if (state === undefined || !/^(22|23|P0|44|54)/.test(state)) return error;
  const column = await columnThatCannotHold(session, rows, error);
  const where = column === undefined ? '' : ` (column ${column})`;
  return new LoadctlError('seeding-failed', `${name(session, rows)} rejected the seed: ${serverMessage(error)}${where}`, {
    hint:
      state === '23503'
        ? 'Seed the rows that it references first (list them further up in `seed`), or fix the columns.'
        : 'Fix the columns of this seed in the profile.',
    cause: error,
  });
}

/** The error for rows that somebody else wrote otherwise since they were looked for. */
export function rivalsError({ causes }: Conflicts): LoadctlError {
  return conflicting(
    'another session wrote rows that conflict while these were seeded',
    causes,
    'Keep other writers away from these rows, then seed again.',
  );
}

/** Whether the server said that another row, which may not be committed yet or be hidden, has a value that must be unique. */
export function isRival(error: unknown): boolean {
  return ['23505', '23P01'].includes(sqlState(error) ?? '');
}

/**
 * The error for rows that nothing visible stands against, and that the server does not let in all the same. `tryOut` writes
 * some of them and takes them back: which row it is, is found by halves. Undefined where they go by now.
 */
export async function inTheWay(
  session: Session,
  rows: SeededRows,
  numbers: RowNumbers,
  tryOut: (numbers: RowNumbers) => Promise<unknown>,
): Promise<LoadctlError | undefined> {
  let [some, error] = [numbers, await tryOut(numbers)];
  let isSelf = false;
  if (error === undefined) return undefined;
  while (countNumbers(some) > 1) {
    const half = Math.ceil(countNumbers(some) / 2);
    const halves = [partOf(some, 0, half), partOf(some, half, countNumbers(some))];
    const found = await firstRefused(halves, tryOut);
    isSelf = found === undefined;
    if (found === undefined) break; // two of the seed's own rows, one in each half
    [some, error] = found;
  }
  const [n = 0] = eachNumber(some);
  const example = isSelf ? serverMessage(error) : `${describeRow(rows, n)}: another row is in the way: ${serverMessage(error)}`;
  const cause = { what: `${name(session, rows)}: cannot be inserted as seeded`, count: countNumbers(some), examples: [example] };
  return isSelf
    ? conflicting(`${name(session, rows)}: rows of this set have a value in common that must be unique`, [cause], ownValues)
    : conflicting(
        `${name(session, rows)}: a row that is there keeps a seeded one out`,
        [cause],
        'Remove what is in the way, or seed other values.',
      );
}

const ownValues = 'Give each row of the set values of its own under `seed`, as the table stores them.';

async function firstRefused(
  halves: readonly RowNumbers[],
  tryOut: (numbers: RowNumbers) => Promise<unknown>,
): Promise<[RowNumbers, unknown] | undefined> {
  for (const half of halves) {
    const error = await tryOut(half);
    if (error !== undefined) return [half, error];
  }
  return undefined;
}

function name({ place }: Session, { table }: SeededRows): string {
  return `${place.name}: ${table.shown}`;
}
