import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const script = `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } }); };\n`;

async function place(): Promise<Workplace> {
  const { url } = await startTarget();
  return workplace({
    'profiles/dev.yaml': `target: {url: "${url}"}\nworkload: {script: ../script.js, vus: 2, duration: 1s}\nrunners: {count: 2}\n`,
    'script.js': script,
  });
}

const list = async (where: Workplace) => JSON.parse((await where.loadctl(['runs', '--json'])).stdout).runs as Record<string, unknown>[];
const ids = async (where: Workplace) => (await list(where)).map(({ run }) => String(run));
const folder = (where: Workplace, run: string) => join(where.folder, '.loadctl/runs', run);

test('runs shows when each began, how long it took, its VUs and its p95', async () => {
  const where = await place();
  expect((await where.loadctl(['run', '--env', 'dev'])).code).toBe(0);
  const [only] = await list(where);
  const record = JSON.parse(where.read(`.loadctl/runs/${only?.run}/run.json`));
  const summary = JSON.parse(where.read(`.loadctl/runs/${only?.run}/summary.json`));
  expect(only).toEqual({
    run: expect.any(String),
    environment: 'dev',
    state: 'passed',
    startedAt: new Date(record.startedAt).toISOString(),
    durationMs: summary.durationMs,
    vus: 2,
    p95: summary.metrics.http_req_duration.values['p(95)'],
  });
  const { stdout } = await where.loadctl(['runs']);
  expect(stdout).toMatch(/^ {2}run +env +started +took +VUs +p95 +state$/m);
  expect(stdout).toMatch(/^ {2}\S+ +dev +\d\d-\d\d \d\d:\d\d +[\d.]+s +2 +[\d.]+ ms +passed$/m);
});

describe('runs are removed', () => {
  const ended = (run: string, at: number) => ({
    [`.loadctl/runs/${run}/run.json`]: JSON.stringify({
      version: 2,
      run,
      environment: 'dev',
      startedAt: at,
      plan: { target: {}, criteria: [] },
      by: { user: 'ann', host: 'elsewhere', pid: 1 },
    }),
    [`.loadctl/runs/${run}/verdict.json`]: JSON.stringify({ version: 1, run, verdict: 'fail', reasons: ['too slow.'], criteria: [] }),
    [`.loadctl/runs/${run}/events.ndjson`]: `{"type":"command-finished","reasons":[],"at":1,"t":1}\n`,
  });
  const names = [1, 2, 3, 4].map((day) => `2026010${day}-030405-abcde`);
  const [first = '', second = '', third = '', fourth = ''] = names;
  const four = () => workplace(Object.assign({}, ...names.map((run, day) => ended(run, day))));

  test('by their ids or folders, and it is said what went', async () => {
    const where = four();
    const said = await where.loadctl(['runs', 'rm', first, `.loadctl/runs/${third}`]);
    expect(said).toEqual({ code: 0, stdout: `Removed 2 runs:\n  ${first}  dev  failed\n  ${third}  dev  failed\n`, stderr: '' });
    expect(await ids(where)).toEqual([fourth, second]);
    expect([first, third].some((run) => existsSync(folder(where, run)))).toBe(false);
  });

  test('but for the newest', async () => {
    const where = four();
    const said = await where.loadctl(['runs', '--keep', '1', '--json']);
    expect(JSON.parse(said.stdout)).toEqual({ version: 1, removed: [third, second, first], running: [], exitCode: 0, exitCodes: [] });
    expect(await ids(where)).toEqual([fourth]);
    expect((await where.loadctl(['runs', '--keep', '1'])).stdout).toBe('Nothing was removed.\n');
    expect((await where.loadctl(['runs', '--keep', '0'])).stdout).toContain(fourth);
    expect(await ids(where)).toEqual([]);
  });

  test.each([
    [['runs', 'rm'], 2, 'which runs?'],
    [['runs', 'rm', 'nothing'], 115, 'No run "nothing"'],
    [['runs', 'rm', '..'], 115, 'No run "'],
    [['runs', 'rm', '/etc'], 115, 'No run "'],
    [['runs', 'rm', `../../${first}`], 115, 'No run "'],
    [['runs', first], 2, `Type: loadctl runs rm ${first}`],
    [['runs', '--keep', 'few'], 2, '--keep few is not a count'],
    [['runs', 'rm', first, '--keep', '1'], 2, 'Give one of them'],
  ])('and nothing by %j', async (args, code, says) => {
    const where = four();
    const said = await where.loadctl(args);
    expect([said.code, said.stderr]).toEqual([code, expect.stringContaining(says)]);
    expect(await ids(where)).toHaveLength(4);
  });

  test('none of several where one is not there', async () => {
    const where = four();
    expect((await where.loadctl(['runs', 'rm', first, 'nothing'])).code).toBe(115);
    expect(await ids(where)).toHaveLength(4);
  });

  test('never while they are running: 112, and what runs goes on', async () => {
    const where = await place();
    const run = where.start(['run', '--env', 'dev', '--set', 'workload.duration=60s']);
    await run.until('the load begins');
    const [running = ''] = await ids(where);
    const said = await where.loadctl(['runs', 'rm', running]);
    expect([said.code, said.stderr]).toEqual([
      112,
      `error: Run ${running} is running; nothing was removed.\nhint: Stop it first: loadctl stop ${running}\n`,
    ]);
    expect((await where.loadctl(['runs', '--keep', '0'])).stdout).toBe(`Nothing was removed.\n  ${running}  kept: it is running\n`);
    expect(await list(where)).toMatchObject([{ state: 'running', vus: 2, durationMs: expect.any(Number) }]);
    expect((await where.loadctl(['stop'])).code).toBe(0);
    expect((await run.said).code).toBe(105);
    expect((await where.loadctl(['runs', 'rm', running])).stdout).toContain(`Removed 1 run:\n  ${running}  dev  interrupted\n`);
  });
});
