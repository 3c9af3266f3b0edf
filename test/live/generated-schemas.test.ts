import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judge, type Outcome } from '../data/generated/judge.js';
import { schemaPlan } from '../data/generated/plan.js';
import { plainRole, play } from '../data/generated/play.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';

/** How many schemas, and the seed of the first; `LOADCTL_SCHEMAS=1 LOADCTL_SCHEMA_SEED=17` replays number 17. */
const schemas = Number(process.env.LOADCTL_SCHEMAS ?? 20);
const firstSeed = Number(process.env.LOADCTL_SCHEMA_SEED ?? 1);
/** So many at the same time: they wait for each other's servers and processes most of the time. */
const together = 2;
/** A machine that has others to serve as well takes minutes for what it does in seconds. */
const patienceMs = 600_000;
const groups = Array.from({ length: Math.ceil(schemas / together) }, (_, group) => {
  const first = firstSeed + group * together;
  return Array.from({ length: Math.min(together, firstSeed + schemas - first) }, (__, index) => first + index);
});

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ settings: ['max_prepared_transactions=4'] });
  const client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query(`CREATE ROLE ${plainRole.name} LOGIN PASSWORD '${plainRole.password}'`);
  await client.end();
});
afterAll(() => server.stop());

describe('random schemas: no row of others comes or goes, CLEAN leaves none of the test’s, and a refusal names what is there', () => {
  const outcomes: Outcome[] = [];
  test.each(groups.map((seeds) => ({ seeds })))('seeds $seeds', { timeout: patienceMs }, async ({ seeds }) => {
    const played = await Promise.allSettled(
      seeds.map(async (seed) => {
        const plan = schemaPlan(seed);
        return judge(plan, await play(server, plan));
      }),
    );
    const failed = played.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    if (failed.length > 1) throw new Error(failed.map(String).join('\n\n'));
    if (failed.length > 0) throw failed[0];
    outcomes.push(...played.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
  });

  test('most of them end CLEAN', () => {
    const clean = outcomes.filter((outcome) => outcome === 'clean').length;
    console.log(
      `${outcomes.length} random schemas: ${clean} seeded and CLEAN, ${outcomes.length - clean} refused with a reason that is there`,
    );
    // Three in four schemas have no hazard; a few may happen to have more, but the ones from 1 on are always the same.
    if (schemas >= 100 || (firstSeed === 1 && schemas >= 20)) expect(clean / schemas).toBeGreaterThanOrEqual(0.6);
  });
});
