import type { CleanedRows, ReceiptLine, SeenSnapshot } from '../../../core/receipt.js';
import type { StoreReceipt } from '../../kind/types.js';
import { aroundOne } from '../catalog/surroundings.js';
import type { Target } from '../selection/targets.js';
import type { CleanedDatabase } from './cleaned-database.js';
import { doomedBy } from './delete-entry.js';
import { deleteSql } from './doomed.js';

/** What one database has to say for the receipt. */
export function reportOf(database: CleanedDatabase, dryRun: boolean): StoreReceipt {
  const { targets, tallies, seededTallies, setLines, journal, lines } = database;
  const rows = targets.map((target) => ({
    ...placeOf(database, target.entry.store),
    table: target.table.inProfile,
    which: target.which,
    ...(tallies.get(target) ?? { deleted: 0, left: null }),
  }));
  const taken = [...seededTallies].map(([set, tally]) => ({
    ...placeOf(database, set.set.store),
    table: set.table.inProfile,
    which: `seeded: ${set.set.name}`,
    ...tally,
  }));
  const planned = dryRun ? targets.flatMap((target) => plannedStatement(database, target)) : [];
  return {
    rows: [...rows, ...taken],
    keys: [],
    statements: [...planned, ...journal.statements()],
    lines: [...targets.flatMap((target) => lineOf(database, target, dryRun)), ...[...setLines.values()].flat(), ...lines],
    notes: [],
    snapshots: snapshotOf(database),
  };
}

function snapshotOf({ session, snapshot, targets }: CleanedDatabase): SeenSnapshot[] {
  const { store, shard } = session.address;
  return snapshot === undefined || targets.length === 0 ? [] : [{ store, shard, snapshot }];
}

/** Why rows of an entry are there still, or may be. */
function lineOf(database: CleanedDatabase, target: Target, dryRun: boolean): ReceiptLine[] {
  const { session, blocked, tallies, troubles } = database;
  const count = tallies.get(target)?.left ?? null;
  const what = `${target.entry.store}.${target.table.inProfile}`;
  const place = { store: target.entry.store, shard: session.address.shard, what, count };
  const hazard = blocked.get(target);
  if (hazard !== undefined) {
    const isOurs = target.unrecorded === undefined && target.doubt === undefined && target.numbers === undefined;
    return count === 0
      ? []
      : [{ ...place, kind: isOurs && count !== null ? 'left' : 'unknown', why: hazard.message, command: hazard.hint }];
  }
  if (count === 0 || dryRun) return [];
  if (count === null) return [{ ...place, kind: 'unknown', why: troubles.get(target) ?? 'it was not counted' }];
  return [{ ...place, kind: 'left', why: troubles.get(target) ?? keptBack(database, target) }];
}

function keptBack({ session: { place } }: CleanedDatabase, { table }: Target): string {
  return `rows remain in ${table.inProfile} although DELETE reported no error; likely causes: a trigger, rule or row-level security policy for the role ${place.role}; rows that reference them; another writer, or a session that holds them`;
}

function plannedStatement(database: CleanedDatabase, target: Target): StoreReceipt['statements'] {
  const { shard } = database.session.address;
  const { family } = aroundOne(database.around, target.table);
  const sql = deleteSql(doomedBy(target, database, family));
  return [{ store: target.entry.store, shard, sql, rows: database.tallies.get(target)?.left ?? 0, ms: 0 }];
}

function placeOf({ session }: CleanedDatabase, store: string): Pick<CleanedRows, 'store' | 'shard' | 'host' | 'database' | 'role'> {
  const { place, address } = session;
  return { store, shard: address.shard, host: `${place.host}:${place.port}`, database: place.database, role: place.role };
}

/** Both together. */
export function addReports(one: StoreReceipt, other: StoreReceipt): StoreReceipt {
  return {
    rows: [...one.rows, ...other.rows],
    keys: [...one.keys, ...other.keys],
    statements: [...one.statements, ...other.statements],
    lines: [...one.lines, ...other.lines],
    notes: [...one.notes, ...other.notes],
    snapshots: [...(one.snapshots ?? []), ...(other.snapshots ?? [])],
  };
}

/** Nothing: the start of a sum. */
export const emptyReport: StoreReceipt = { rows: [], keys: [], statements: [], lines: [], notes: [], snapshots: [] };
