import { type ForeignKey, joinKeys } from '../catalog/foreign-keys.js';
import { quoteName } from '../catalog/quote.js';
import { isFatal, sqlState } from '../connection/errors.js';
import { fewRows, inTime, rowsOf } from '../pages/look.js';
import { isIn, type Located, type Piece, type Places, placesOf } from '../pages/piece.js';
import { deletePieces } from './deletes.js';
import type { Doomed } from './doomed.js';
import { add, type Deleted, holdSql, type Means, type Returned, remove, removeNoted } from './remove.js';

/**
 * Deletes what `find` finds. Where rows of the table reference rows of it, those that hang together go at once where they are
 * few; else those that nothing references, again and again, until none goes any more.
 */
export async function takeOut(doomed: Doomed, find: () => Promise<readonly Piece[]>, means: Means): Promise<Deleted> {
  let deleted: Deleted = { rows: 0 };
  for (let last = Number.POSITIVE_INFINITY; ; ) {
    const before = deleted.rows;
    const told = { ...means, progress: (rows: number) => means.progress?.(before + rows) };
    const pieces = await find();
    const count = rowsOf(pieces);
    // Rows that come as fast as they go, by a trigger or a writer, are for another sweep, of which there are so many.
    if (count >= last) return deleted;
    last = count;
    const isFew = doomed.own.length > 0 && count <= fewRows;
    const together = isFew ? await takeTogether(doomed, pieces, told) : 0;
    if (together > 0) told.progress(together);
    const more = together > 0 ? { rows: together } : await deletePieces(doomed, pieces, told);
    deleted = add(deleted, more);
    if (doomed.own.length === 0 || more.rows === 0) return deleted;
  }
}

/** Rows that reference each other go all at once, or none of them; hands back how many went. */
async function takeTogether(doomed: Doomed, [piece]: readonly Piece[], means: Means): Promise<number> {
  const { family, own } = doomed;
  const isPlain = own.every(({ child, parent }) => child.oid === family.table.oid && parent.oid === family.table.oid);
  if (piece === undefined || !isPlain) return 0;
  const found = await inTime<Located>(means, closedSql(doomed), togetherMs);
  const places = placesOf(piece.part, found ?? []);
  return places.rows === 0 || places.rows > fewRows ? 0 : deleteTogether(doomed, places, means);
}

const togetherMs = 2000;

/** The rows that are to go and that nothing else keeps: neither what references them nor what references those, and so on. */
function closedSql({ family: { table }, selection, guards, own }: Doomed): string {
  const names = [...new Set(own.flatMap(({ columns, parentColumns }) => [...columns, ...parentColumns]))];
  const columns = names.map((name) => `t.${quoteName(name)}`).join(', ');
  const points = (child: string, parent: string) => `(${own.map((key) => joinKeys(key, child, parent)).join(' OR ')})`;
  const mine = `SELECT t.tableoid AS "loadctl oid", t.ctid AS "loadctl ctid", ${columns} FROM ${table.quoted} AS t WHERE ${[selection, ...guards].join(' AND ')} LIMIT ${fewRows + 1}`;
  const outside = own
    .map((key) => `EXISTS (SELECT 1 FROM ${key.child.from} AS o WHERE ${joinKeys(key, 'o', 'm')} AND NOT ${isMine('o')})`)
    .join(' OR ');
  return `WITH RECURSIVE mine AS MATERIALIZED (${mine}), kept AS (SELECT m.* FROM mine AS m WHERE ${outside} UNION SELECT p.* FROM kept AS k JOIN mine AS p ON ${points('k', 'p')})
    SELECT "loadctl oid"::text AS oid, "loadctl ctid"::text AS ctid FROM mine AS m WHERE NOT EXISTS (SELECT 1 FROM kept AS k WHERE k."loadctl oid" = m."loadctl oid" AND k."loadctl ctid" = m."loadctl ctid")`;
}

function isMine(alias: string): string {
  return `EXISTS (SELECT 1 FROM mine AS x WHERE x."loadctl oid" = ${alias}.tableoid AND x."loadctl ctid" = ${alias}.ctid)`;
}

async function deleteTogether(doomed: Doomed, places: Places, means: Means): Promise<number> {
  const { session } = means;
  const { selection, guards, own } = doomed;
  const isAll = ({ count }: { readonly count: number }) => count === places.rows;
  const onlyAmong = (key: ForeignKey) =>
    `NOT EXISTS (SELECT 1 FROM ${key.child.from} AS o WHERE ${joinKeys(key, 'o', 't')} AND NOT ${isIn(places, 'o')})`;
  const alone = [isIn(places), selection, ...guards, ...own.map(onlyAmong)].join(' AND ');
  const work = async () => {
    if (!isAll(await session.query(holdSql(doomed, places)))) return undefined;
    if (!isAll(await session.query(`SELECT 1 FROM ${places.part.from} AS t WHERE ${alone}`))) return undefined;
    const run = (sql: string) => session.query<Returned>(sql);
    return remove(doomed, places, { ...means, run }, selection);
  };
  try {
    return await removeNoted(means, { mode: 'READ WRITE', statementMs: togetherMs, lockMs: 200 }, work);
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || isFatal(state)) throw error;
    return 0;
  }
}
