import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { storeTask } from '../../src/stores/index.js';
import { addressesOf } from '../../src/stores/postgres/connection/places.js';
import { openSession } from '../../src/stores/postgres/connection/session.js';
import { findTargets } from '../../src/stores/postgres/selection/targets.js';
import { dataContext } from '../servers/data-context.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const src = fileURLToPath(new URL('../../src', import.meta.url));

test('nothing in loadctl empties a table or drops one, and a DELETE is written in one place, for rows of an entry', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const texts = files.map((name) => [name, readFileSync(join(src, name), 'utf8')] as const);
  const saying = (pattern: RegExp) => texts.flatMap(([name, text]) => [...text.matchAll(pattern)].map(([found]) => `${name}: ${found}`));
  expect(saying(/\b(TRUNCATE|DROP (TABLE|SCHEMA|DATABASE)|FLUSHALL|flushall)\b/g)).toEqual([]);
  expect(saying(/DELETE FROM [^`']*/g).sort()).toEqual([
    // What a receipt shows, and the one that is run: for the rows of a piece that meet the condition.
    'stores/postgres/cleaning/doomed.ts: DELETE FROM ${doomed.family.table.quoted} AS t WHERE ${mayGo(doomed)}',
    'stores/postgres/cleaning/remove.ts: DELETE FROM ${piece.part.from} AS t WHERE ${isIn(piece)} AND ${condition} AND ${isAsSeen(doomed.family)}${returning}',
  ]);
});

test.each([undefined, '', 'load-', '%%%%%%%'])('a selection by the prefix %j is none', async (prefix) => {
  const { url } = await testDatabase(server, 'CREATE TABLE orders (user_id text)');
  const { profile, world } = dataContext({
    stores: { db: { kind: 'postgres', url } },
    cleanup: { rows: [{ table: 'db.orders', column: 'user_id' }] },
  });
  const { db } = profile.stores;
  if (db?.kind !== 'postgres') return expect.unreachable();
  const session = await openSession(addressesOf('db', db)[0] ?? expect.unreachable(), {
    label: 'test',
    signal: new AbortController().signal,
    clock: world.clock,
  });
  const task = { ...storeTask(profile, 'db', { now: 0 }), prefix };
  await expect(findTargets(session, db, task)).rejects.toMatchObject({ reason: 'refused', hint: 'Write cleanup.prefix: load-test-user-' });
  await session.close();
});

const mine = 'load-test-user-';
/** Ids of the test's and of others, among them such as are nearly the test's. */
const anId = fc.oneof(
  fc.constantFrom(`${mine}1`, `${mine}r-2`, mine),
  fc.constantFrom('user-1', 'load-test-user', 'load_test_user_1', 'LOAD-TEST-USER-1', ` ${mine}1`, 'load-test-usez-1', '', null),
);
const onDelete = fc.constantFrom('NO ACTION', 'CASCADE', 'SET NULL');

/** Orders of somebody, and notes of somebody about an order. */
const shop = fc.record({
  rule: onDelete,
  byOwner: fc.boolean(),
  orders: fc.array(anId, { minLength: 1, maxLength: 12 }),
  notes: fc.array(fc.record({ owner: anId, order: fc.nat({ max: 11 }) }), { maxLength: 12 }),
});

test('whatever is listed, a row that no entry selects is there afterwards as it was', async () => {
  const { url, sql } = await testDatabase(
    server,
    'CREATE TABLE orders (id int PRIMARY KEY, owner text, word text); CREATE TABLE notes (id int PRIMARY KEY, owner text, order_id int)',
  );
  const outcomes = { clean: 0, kept: 0 };
  await fc.assert(
    fc.asyncProperty(shop, async ({ rule, byOwner, orders, notes }) => {
      await sql('ALTER TABLE notes DROP CONSTRAINT IF EXISTS of_order');
      await sql('DELETE FROM notes');
      await sql('DELETE FROM orders');
      for (const [id, owner] of orders.entries()) await sql('INSERT INTO orders VALUES ($1, $2, md5($3))', [id, owner, `${id}`]);
      for (const [id, note] of notes.entries())
        await sql('INSERT INTO notes VALUES ($1, $2, $3)', [id, note.owner, note.order < orders.length ? note.order : null]);
      await sql(`ALTER TABLE notes ADD CONSTRAINT of_order FOREIGN KEY (order_id) REFERENCES orders ON DELETE ${rule}`);
      const entry = byOwner ? { table: 'db.notes', column: 'owner' } : { table: 'db.notes', via: 'db.orders' };
      const rows = [{ table: 'db.orders', column: 'owner' }, entry];
      const isMine = (owner: string | null | undefined) => owner?.startsWith(mine) ?? false;
      const goes = (note: { owner: string | null; order: number }) => (byOwner ? isMine(note.owner) : isMine(orders[note.order]));
      // An order that a note of others is about stays with it.
      const holds = (id: number) => notes.some((note) => note.order === id && !goes(note));
      const gone = orders.flatMap((owner, id) => (isMine(owner) && !holds(id) ? [id] : []));
      const kept = orders.some((owner, id) => isMine(owner) && holds(id));
      const stays = await sql(
        `SELECT 'order' AS what, id, owner, word, NULL AS "of" FROM orders WHERE NOT id = ANY($1)
          UNION ALL SELECT 'note', id, owner, NULL, order_id FROM notes WHERE NOT id = ANY($2) ORDER BY 1, 2`,
        [gone, notes.flatMap((note, id) => (goes(note) ? [id] : []))],
      );
      const profile = { stores: { db: { kind: 'postgres', url } }, cleanup: { prefix: mine, rows, settle: '1ms' } };
      const { receipt, reasons } = await cleanup(dataContext(profile), { dryRun: false, seeded: false });
      const everything = `SELECT 'order' AS what, id, owner, word, NULL AS "of" FROM orders UNION ALL SELECT 'note', id, owner, NULL, order_id FROM notes ORDER BY 1, 2`;
      expect(await sql(everything)).toEqual(stays);
      expect([receipt.proven, reasons]).toEqual(kept ? [false, ['cleanup-not-proven']] : [true, []]);
      outcomes[kept ? 'kept' : 'clean'] += 1;
    }),
    { numRuns: 40, seed: 20_261_127 },
  );
  console.log(
    `cleanups of random tables: ${outcomes.clean} proven, ${outcomes.kept} with orders that others hold, no row of others lost or changed`,
  );
  expect(Math.min(outcomes.clean, outcomes.kept)).toBeGreaterThan(2);
});

test.each(['CASCADE', 'SET NULL', 'SET DEFAULT'])(
  'a row of others that turns up while test data is deleted does not go along (ON DELETE %s)',
  async (rule) => {
    const setup = `CREATE TABLE orders (id int PRIMARY KEY, owner text); INSERT INTO orders VALUES (1, '${mine}1'), (2, '${mine}2');
    CREATE TABLE notes (id int, owner text, order_id int REFERENCES orders ON DELETE ${rule});`;
    const { url, sql } = await testDatabase(server, setup);
    const rows = [
      { table: 'db.orders', column: 'owner' },
      { table: 'db.notes', column: 'owner' },
    ];
    const context = dataContext({ stores: { db: { kind: 'postgres', url } }, cleanup: { prefix: mine, rows, settle: '1ms' } });
    await sql("BEGIN; INSERT INTO notes VALUES (1, 'ann', 1)"); // which nobody else sees yet
    const late: Promise<unknown>[] = [];
    const emit: typeof context.emit = (event) => {
      context.emit(event);
      if (event.type === 'step-finished' && event.step === 'check-data') late.push(sql('COMMIT'));
    };
    const clock = {
      ...context.world.clock,
      sleep: async (ms: number, signal?: AbortSignal) => {
        await Promise.all(late);
        return context.world.clock.sleep(ms, signal);
      },
    };
    const { receipt, reasons } = await cleanup({ ...context, emit, world: { ...context.world, clock } }, { dryRun: false, seeded: false });
    await Promise.all(late);
    expect(await sql('SELECT * FROM notes')).toEqual([{ id: 1, owner: 'ann', order_id: 1 }]);
    expect(await sql('SELECT id FROM orders')).toEqual([{ id: 1 }]);
    expect(reasons).toEqual(['cleanup-not-proven']);
    expect(receipt.rows.find(({ table }) => table === 'orders')).toMatchObject({ deleted: 1, left: 1 });
  },
);
