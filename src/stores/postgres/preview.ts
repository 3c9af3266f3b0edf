import type { PostgresStore } from '../../profile/sections/schema.js';
import { together } from '../kind/together.js';
import type { Intent, StoreContext, StoreTask } from '../kind/types.js';
import { findForeignKeys } from './catalog/foreign-keys.js';
import { listTriggers } from './catalog/hindrances.js';
import { findTable, type Table } from './catalog/tables.js';
import { addressesOf } from './connection/places.js';
import { openSession, type Session } from './connection/session.js';

/** Reads in the catalogs of every database of the store what a seed or a cleanup would set off there. */
export async function previewStore(
  config: PostgresStore,
  task: StoreTask,
  intent: Intent,
  context: StoreContext,
): Promise<readonly string[]> {
  const found = await together(addressesOf(context.store, config), async (address) => {
    const session = await openSession(address, context);
    try {
      // Nothing that outlives the transaction: no lock was taken yet, and a pooler between would hand it to others.
      await session.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'`);
      return await setOff(session, task, intent);
    } finally {
      await session.close();
    }
  });
  return found.flat();
}

async function setOff(session: Session, task: StoreTask, { seeds, cleans, seeded: takesSeeded }: Intent): Promise<string[]> {
  const seeded = await tablesOf(session, task.tables);
  const cleaned = await tablesOf(session, cleans ? task.rows : []);
  const emptied = [...cleaned, ...(cleans && takesSeeded ? seeded : [])];
  const lines = [
    ...(seeds ? await listTriggers(session, seeded, 'INSERT') : []),
    ...(await listTriggers(session, emptied, 'DELETE')),
    ...(await cascadesFrom(session, cleaned)),
  ];
  return lines.length > 0 ? lines : [`${session.place.name}: no triggers, rules or cascades on the tables concerned`];
}

async function tablesOf(session: Session, entries: readonly { readonly table: string; readonly schema?: string }[]): Promise<Table[]> {
  const tables = new Map<number, Table>();
  for (const { table: name, schema } of entries) {
    const table = await findTable(session, name, schema);
    tables.set(table.oid, table);
  }
  return [...tables.values()];
}

async function cascadesFrom(session: Session, tables: readonly Table[]): Promise<string[]> {
  const lines: string[] = [];
  const keys = await findForeignKeys(session, tables);
  for (const parent of tables) {
    for (const { table, columns, onDelete } of keys.get(parent.oid) ?? []) {
      if (onDelete === 'no action' || onDelete === 'restrict') continue;
      lines.push(
        `${session.place.name}: ${table.inProfile} (${columns.join(', ')}) references ${parent.inProfile} with ON DELETE ${onDelete.toUpperCase()}`,
      );
    }
  }
  return lines;
}
