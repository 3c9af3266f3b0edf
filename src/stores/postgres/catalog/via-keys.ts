import { LoadctlError } from '../../../core/errors.js';
import type { CleanupRows } from '../../../profile/sections/schema.js';
import { tableText } from '../../../profile/words/names.js';
import { serverMessage, sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { findFamily } from './family.js';
import { type ForeignKey, foreignKeysBetween, joinKeys, primaryKey } from './foreign-keys.js';
import type { Table } from './tables.js';

type ViaEntry = Extract<CleanupRows, { via: unknown }>;

/** The foreign key by which an entry's rows belong to others, or the column that it names in place of one. */
export async function keyFor(session: Session, entry: ViaEntry, child: Table, parent: Table): Promise<ForeignKey> {
  const keys = (await keysBetween(session, child, parent)).filter(({ name, columns }) => name !== '' || columns.length === 1);
  const { column } = entry;
  const fitting = column === undefined ? keys : keys.filter(({ columns }) => columns.includes(column));
  const [key, ...more] = fitting;
  if (key?.isTemporal) throw temporal(session, key, parent);
  if (key && more.length === 0) return key;
  if (key) {
    throw new LoadctlError(
      'invalid-profile',
      `${child.shown} references ${parent.shown} in more than one way: ${fitting.map(({ columns }) => columns.join(', ')).join('; ')}`,
      {
        hint: `Name one with \`column\`, or list the table once for each: - {table: ${tableText(entry)}, via: ${'set' in entry.via ? entry.via.set : tableText(entry.via)}, column: ${key.columns[0]}}`,
      },
    );
  }
  const [id, ...others] = column === undefined ? [] : await primaryKey(session, parent);
  if (column !== undefined && id !== undefined && others.length === 0) {
    const loose = {
      ...withoutConstraint,
      table: child,
      child: whole(child),
      parent: whole(parent),
      columns: [column],
      parentColumns: [id],
    };
    await checkComparable(session, loose, parent);
    return loose;
  }
  throw new LoadctlError('invalid-profile', `${session.place.name}: ${child.shown} has no foreign key to ${parent.shown}`, {
    hint: `Name the column of ${child.inProfile} that holds the id of a row of ${parent.inProfile}: \`column: …\`.`,
  });
}

/** The keys of a table to another one. What inherits from the table is held to none of them: there they are no more than columns. */
async function keysBetween(session: Session, child: Table, parent: Table): Promise<ForeignKey[]> {
  const keys = await foreignKeysBetween(session, child, parent);
  const { isPartitioned, oids } = await findFamily(session, child);
  const isHeld = isPartitioned || oids.length === 1;
  return keys.map((key) => {
    if (key.columns.length > 1 || (key.name !== '' && isHeld)) return key;
    return { ...key, name: '', child: whole(child), ...(key.parent.oid === parent.oid ? { parent: whole(parent) } : {}) };
  });
}

function temporal({ place }: Session, { name }: ForeignKey, parent: Table): LoadctlError {
  return new LoadctlError(
    'refused',
    `${place.name}: the key ${name} references ${parent.inProfile} by a PERIOD, which loadctl cannot follow`,
    {
      hint: `Name a column of its own: \`column: …\`, or remove the entry.`,
    },
  );
}

/** Throws where the two columns have types that Postgres does not compare. */
async function checkComparable(session: Session, key: ForeignKey, parent: Table): Promise<void> {
  const pairs = `FROM ${key.table.quoted} AS c JOIN ${parent.quoted} AS p ON ${joinKeys(key, 'c', 'p')}`;
  await session.query(`EXPLAIN SELECT 1 ${pairs}`).catch((error: unknown) => {
    if (sqlState(error) !== noSuchOperator) throw error;
    const [column, id] = [`${key.table.shown}.${key.columns}`, `${parent.shown}.${key.parentColumns}`];
    throw new LoadctlError('invalid-profile', `${session.place.name}: ${column} cannot hold what ${id} is: ${serverMessage(error)}`, {
      hint: `Name a column of ${key.table.inProfile} that has the type of ${id}.`,
      cause: error,
    });
  });
}

const noSuchOperator = '42883';

const withoutConstraint = { name: '', operators: [], collations: [], onDelete: 'no action', indexed: true, isTemporal: false } as const;

function whole({ oid, quoted, shown }: Table): ForeignKey['child'] {
  return { oid, quoted, shown, from: quoted };
}
