import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { passwordIn, testDatabase } from '../servers/sql.js';
import { workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

let postgres: PostgresServer;
let redis: RedisServer;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
});
afterAll(async () => {
  await Promise.all([postgres.stop(), redis.stop()]);
});

const script = `import http from 'k6/http';
export default () => http.get(__ENV.BASE_URL);`;

/** The lines of a table by their first word, each with what stands below it. */
function rowsOf(text: string): Map<string, string> {
  const rows = text.split(/\n(?= {2}\S)/).map((row) => row.trim().replaceAll(/\s+/g, ' '));
  return new Map(rows.map((row) => [/^(store \w+|open files|\S+)/.exec(row)?.[1] ?? '', row]));
}

test('says of all that a run needs how it stands, with the fix beside what is missing', async () => {
  const target = await startTarget();
  const { url } = await testDatabase(postgres);
  const place = new URL(url);
  place.password = '';
  const profile = `
target: {url: "${target.url}", health: /healthz}
workload: {script: k6.js, vus: 4, duration: 5s}
stores: {db: {kind: postgres, url: "${place}", password: "\${DB_PASSWORD}"}, cache: {kind: redis, url: "${redis.url}/1"}}
monitors: {db: {kind: postgres, store: db}}
outputs: {hook: {kind: webhook, url: "http://127.0.0.1:1/hook"}}
sla: {p95: < 500ms}
`;
  const at = workplace({ 'profiles/dev.yaml': profile, 'profiles/k6.js': script });
  const doctor = async (env: Record<string, string>, ...args: string[]) => {
    const said = await at.loadctl(['doctor', '--env', 'dev', ...args], env);
    return { code: said.code, rows: rowsOf(said.stdout), all: said.stdout + said.stderr };
  };

  const bare = await doctor({});
  expect(bare.code, bare.all).toBe(115);
  expect(bare.rows.get('variables')).toBe(
    'variables ✖ not set: DB_PASSWORD Set it in the environment, or in .env.dev or .env as NAME=value.',
  );
  expect(bare.rows.get('target')).toMatch(/^target \? http:\/\/127.0.0.1:\d+: not asked without DB_PASSWORD/);

  const env = { DB_PASSWORD: passwordIn(url) };
  const quiet = await doctor(env);
  expect(quiet.code, quiet.all).toBe(0);
  expect(quiet.rows.get('script')).toBe('script ✔ 4 VUs for 5s, a load of the profile');
  expect(quiet.rows.get('limits')).toMatch(/^limits ✔ 1 in the profile/);
  expect(quiet.rows.get('variables')).toBe('variables ✔ DB_PASSWORD (environment)');
  expect(quiet.rows.get('store db')).toBe(
    `store db ? 127.0.0.1:${postgres.port}: not asked To connect once: loadctl doctor --env dev --connect`,
  );
  expect(quiet.rows.get('runners')).toBe('runners ✔ 1 on this machine');
  expect(quiet.rows.get('monitors')).toBe('monitors ? db: not asked loadctl doctor --env dev --monitors');
  expect(quiet.rows.get('outputs')).toBe('outputs ? hook: not asked loadctl doctor --env dev --outputs');
  expect(quiet.rows.get('guards')).toBe('guards ✔ every host is this machine');
  expect([...target.hits]).toEqual([]);

  const connected = await doctor(env, '--connect');
  expect(connected.code, connected.all).toBe(0);
  expect(connected.rows.get('target')).toMatch(/^target ✔ http:\/\/127.0.0.1:\d+: healthy/);
  expect(connected.rows.get('store db')).toMatch(/^store db ✔ PostgreSQL \d+\S* at 127.0.0.1:\d+, test\d+ as postgres$/);
  expect(connected.rows.get('store cache')).toBe(`store cache ✔ Redis at 127.0.0.1:${redis.port}, index 1`);
  expect([...target.hits]).toEqual([['GET /healthz', 1]]);

  await target.die();
  const broken = await doctor({ DB_PASSWORD: 'not-this' }, '--connect');
  expect(broken.code, broken.all).toBe(115);
  expect(broken.rows.get('target')).toMatch(/^target ✖ The target is not healthy: .*Start it, or fix target\.url/);
  expect(broken.rows.get('store db')).toMatch(/^store db ✖ .*password/);
  expect(broken.all).not.toContain('not-this');
});

test('a host that no guard allows is not connected to, and what guards refuse is told with what satisfies them', async () => {
  const at = workplace({
    'profiles/prod.yaml': `
target: {url: "http://shop.invalid"}
workload: {script: k6.js, vus: 40, duration: 1m}
guards: {maxVus: 20}
`,
    'profiles/k6.js': script,
  });
  const said = await at.loadctl(['doctor', '--env', 'prod', '--connect']);
  expect(said, said.stderr).toMatchObject({ code: 115 });
  const text = said.stdout.replaceAll(/\s+/g, ' ');
  expect(text).toContain('target ? http://shop.invalid: not asked, as guards.allow does not list every host');
  expect(text).toContain('guards.allow: [shop.invalid]');
  expect(text).toContain('guards ✖ cap: The load is 40 VUs; guards.maxVus allows 20 VUs.');
  expect(text).toContain('limits ! none: a run passes whatever it measures');
});
