import { flatten } from '../../../profile/templates/pieces.js';
import { type Hazard, type StoreTask, unrecorded } from '../../kind/types.js';
import { lookAtSequences, type NumberedColumn, ownSequences, type SequenceLook } from '../catalog/sequences.js';
import type { Session } from '../connection/session.js';
import type { Looking } from '../pages/look.js';
import { keyNames, numbersOf } from '../rows/ownership.js';
import { type SeededRows, setName } from '../rows/seeded-rows.js';
import { numbersAbove } from '../rows/shards.js';
import { countThere } from './set-rows.js';

/**
 * Looks whether sequences come to the numbers that a set's rows hold: who draws them would meet the set's rows where the column is
 * in anything unique, be it of a part of the rows or beside columns that are not seeded.
 */
export async function lookAtNumbers(session: Session, rows: SeededRows): Promise<SequenceLook> {
  const looks: SequenceLook[] = [];
  const unique = await columnsThatCollide(session, rows);
  for (const column of numberedColumns(rows)) {
    if (unique.has(column.column)) looks.push(await lookAtSequences(session, column));
    else looks.push({ hazards: [], apart: await ownSequences(session, column) });
  }
  return { hazards: looks.flatMap(({ hazards }) => hazards), apart: looks.flatMap(({ apart }) => apart) };
}

/** The columns of everything that keeps rows of a table apart: unique indexes of any kind, and exclusions. */
async function columnsThatCollide(session: Session, { table }: SeededRows): Promise<ReadonlySet<string>> {
  const { rows } = await session.query<{ name: string }>(
    `SELECT DISTINCT a.attname::text AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum > 0
      WHERE i.indrelid = $1 AND (i.indisunique OR i.indisexclusion)
        AND (a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) OR (i.indexprs IS NOT NULL AND EXISTS (
          SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum)))`,
    [table.oid],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Why a set's rows may be those of others: their keys are numbers, of which no record says that nobody had them before. */
export function unrecordedNumbers(task: StoreTask, { own, set }: SeededRows): string | undefined {
  return own?.isBare === true ? unrecorded(task, set, keyNames(own)) : undefined;
}

/** What stands against seeding numbers: rows that have them already, and that were not seeded from here. */
export async function takenNumbers(looking: Looking, task: StoreTask, rows: SeededRows): Promise<Hazard | undefined> {
  const { own, set } = rows;
  const why = unrecordedNumbers(task, rows);
  if (own === undefined || why === undefined) return undefined;
  const there = await countThere(looking, { ...rows, numbers: numbersAbove(rows.numbers, task.seededRows(set, keyNames(own))) });
  if (there === 0) return undefined;
  return {
    message: `${looking.session.place.name}: ${there === 1 ? '1 row has a number' : `${there} rows have numbers`} of the set ${setName(rows)} already, and ${why}`,
    hint: 'Give the set unused numbers (`{n+900000000}`); or seed where that file is.',
  };
}

function numberedColumns({ table, columns, values, set }: SeededRows): NumberedColumn[] {
  return columns.flatMap((column, index): NumberedColumn[] => {
    const pieces = values[index];
    if (!pieces) return [];
    // A text with one number in it may be numbered by a default of the column as well: ORD-1, ORD-2.
    const carrier = flatten(pieces, set.rows).find((piece) => typeof piece === 'object' && piece.kind === 'n');
    const inText =
      typeof carrier === 'object' && carrier.kind === 'n'
        ? { low: BigInt(1 + carrier.plus), high: BigInt(set.rows + carrier.plus) }
        : undefined;
    const span = column.kind === 'number' ? numbersOf(pieces, set.rows) : column.kind === 'text' ? inText : undefined;
    return span === undefined ? [] : [{ table, column: column.name, span }];
  });
}
