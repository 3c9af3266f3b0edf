import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const scenarios = `import http from 'k6/http';
export const options = {
  scenarios: {
    browse: { executor: 'constant-vus', vus: 40, duration: '2s', exec: 'browse' },
    buy: { executor: 'constant-arrival-rate', rate: 20, duration: '3s', preAllocatedVUs: 10, maxVUs: 20, exec: 'browse' },
  },
  thresholds: { http_req_failed: ['rate<0.1', { threshold: 'rate<0.5', abortOnFail: true, delayAbortEval: '250' }] },
};
export function browse() { http.get(__ENV.BASE_URL); }
`;

const profile = (url: string, workload = '{script: ../script.js}') =>
  `target: {url: "${url}"}\nworkload: ${workload}\nrunners: {count: 2}\n`;

const nowhere = 'http://127.0.0.1:9';
const withScript = (script: string, words = profile(nowhere)) => workplace({ 'profiles/dev.yaml': words, 'script.js': script });

async function planOf(place: Workplace, args: readonly string[] = [], env: Record<string, string> = {}) {
  const said = await place.loadctl(['plan', '--env', 'dev', '--json', ...args], env);
  return { ...said, plan: JSON.parse(said.stdout) as Record<string, unknown> };
}

describe('plan of a script with a load of its own', () => {
  test('lists its scenarios and thresholds, and what each runner has to carry', async () => {
    const place = withScript(scenarios);
    const said = await place.loadctl(['plan', '--env', 'dev']);
    expect([said.code, said.stderr]).toEqual([0, '']);
    for (const line of [
      "the script's own: up to 60 VUs for 3s",
      'browse: constant-vus, 40 VUs, for 2s',
      'buy: constant-arrival-rate, 20/s, up to 20 VUs, for 3s',
      'http_req_failed: rate<0.1 (script)',
      'http_req_failed: rate<0.5 (script, aborts)',
    ])
      expect(said.stdout).toContain(line);
    expect(said.stdout).toMatch(/^ {2}VUs +30 +60$/m);
    const { plan } = await planOf(place);
    expect(plan).toMatchObject({
      load: { vus: 60, duration: 3000 },
      scenarios: { browse: { executor: 'constant-vus', vus: 40 }, buy: { rate: 20 } },
      thresholds: { http_req_failed: ['rate<0.1', 'rate<0.5'] },
      inspection: { fetched: [] },
    });
  });

  test.each([
    ['no k6 is there', { LOADCTL_K6: '', PATH: '/nowhere' }, 'k6 is not installed yet; loadctl run gets it'],
    ['LOADCTL_K6 is nothing', { LOADCTL_K6: '/nowhere/k6' }, 'LOADCTL_K6 is /nowhere/k6'],
  ])('says that it is unknown where %s, in the same hash, and ends with 0', async (_, env, because) => {
    const place = withScript(scenarios);
    const home = { ...env, HOME: place.folder };
    const said = await place.loadctl(['plan', '--env', 'dev'], home);
    expect([said.code, said.stderr]).toEqual([0, '']);
    expect(said.stdout).toContain(`unknown, because ${because}`);
    expect((await planOf(place, [], home)).plan.hash).toBe((await planOf(place)).plan.hash);
  });

  test('says that it is unknown where init code throws for want of a secret, and ends with 0; with 107 where none is wanting', async () => {
    const place = withScript(
      "if (__ENV.TOKEN !== 'let-in') throw new Error('no token');\nexport default () => {};\n",
      profile(nowhere, '{script: ../script.js, env: {TOKEN: "${TOKEN}"}}'),
    );
    const missing = await place.loadctl(['plan', '--env', 'dev']);
    expect(missing.code).toBe(0);
    expect(missing.stdout).toMatch(/unknown, because The script threw in its init code: Error: no token \(not set: TOKEN\)/);
    expect((await place.loadctl(['plan', '--env', 'dev'], { TOKEN: 'let-in' })).code).toBe(0);
    const refused = (await place.loadctl(['plan', '--env', 'dev'], { TOKEN: 'wrong' })).stdout;
    expect(refused).toContain("load       the script's own: unknown, because of what stands in the way (below)\n");
    expect(refused).toMatch(/\n {2}✖ The script threw in its init code: Error: no token\n/);
    const wrong = await planOf(place, [], { TOKEN: 'wrong' });
    expect([wrong.code, wrong.plan.inspection]).toEqual([
      107,
      { unknown: 'The script threw in its init code: Error: no token', fetched: [] },
    ]);
  });

  test.each([
    ['lodash', 'k6 has no npm packages: bundle lodash into the script'],
    ['k6/x/kafka', 'Build a k6 with k6/x/kafka'],
    [
      'https://127.0.0.1:9/lib.js',
      'k6 fetches https://127.0.0.1:9/lib.js from this machine: make it reachable, or save it beside the script',
    ],
  ])('says what a script lacks that imports %s', async (module, fix) => {
    const place = withScript(`import it from '${module}';\nexport default () => it();\n`);
    const said = await place.loadctl(['plan', '--env', 'dev']);
    expect([said.code, said.stdout]).toEqual([104, expect.stringContaining(fix)]);
  });

  test('names what k6 fetched for it', async () => {
    const place = withScript("import x from 'https://127.0.0.1:9/x.js';\nexport default () => x();\n");
    const { plan, stdout } = await planOf(place);
    expect(plan.inspection).toMatchObject({ fetched: ['https://127.0.0.1:9/x.js'] });
    expect(stdout).toContain('unknown');
  });

  test('ends as a run would, for what it can know', async () => {
    const beyond = profile('http://192.0.2.1');
    const place = withScript(scenarios, `${beyond}guards: {allow: [192.0.2.1], maxVus: 60, maxRate: 1000/s, maxDuration: 3s}\n`);
    // One VU of browse may ask as often as it likes.
    const unbounded = await planOf(place);
    expect([unbounded.code, unbounded.plan.refusals]).toEqual([112, [expect.objectContaining({ message: anyRate }), confirmation]]);
    const withOptions = (options: string) => ['--set', `workload.options=${options}`];
    const bounded = '{"minIterationDuration": "1s"}';
    expect((await planOf(place, withOptions(bounded))).plan).toMatchObject({ exitCode: 0, refusals: [confirmation] });
    const tooMany = await planOf(place, withOptions('{"minIterationDuration": "1s", "scenarios": {"browse": {"vus": 41}}}'));
    expect([tooMany.code, tooMany.plan.refusals]).toEqual([
      112,
      [expect.objectContaining({ message: 'The load is 61 VUs; guards.maxVus allows 60 VUs.' }), confirmation],
    ]);
  });
});

const anyRate = 'guards.maxRate allows 1000 iterations/s, and nothing bounds the rate of 60 VUs.';
const confirmation = expect.objectContaining({ guard: 'confirm' });

describe('workload.options.scenarios and workload.scale', () => {
  test('lay over the scenarios of the script by name', async () => {
    const { plan } = await planOf(withScript(scenarios), ['--set', 'workload.options={"scenarios": {"browse": {"vus": 4}}}']);
    expect(plan.scenarios).toMatchObject({ browse: { vus: 4, durationMs: 2000 }, buy: { rate: 20, vus: 20 } });
  });

  test('name a scenario that is not complete in the words of the profile', async () => {
    const place = withScript(scenarios, profile(nowhere, '{script: ../script.js, options: {scenarios: {browze: {vus: 4}}}}'));
    const said = await place.loadctl(['run', '--env', 'dev']);
    expect(said.code).toBe(104);
    expect(said.stderr).toContain('workload.options.scenarios.browze has no executor, and the script has no scenario browze.');
    expect(said.stderr).not.toMatch(/wrapper|k6 cannot/);
  });

  test('make a tenth of the load, and at least one VU of each', async () => {
    const target = await startTarget();
    const script = `import http from 'k6/http';
export const options = { scenarios: {
  many: { executor: 'per-vu-iterations', vus: 30, iterations: 1, exec: 'many' },
  one: { executor: 'per-vu-iterations', vus: 2, iterations: 1, exec: 'one' },
  rate: { executor: 'constant-arrival-rate', rate: 100, duration: '2s', preAllocatedVUs: 20, exec: 'rate' },
} };
export const many = () => http.get(__ENV.BASE_URL + '/many');
export const one = () => http.get(__ENV.BASE_URL + '/one');
export const rate = () => http.get(__ENV.BASE_URL + '/rate');
`;
    const place = withScript(script, profile(target.url, '{script: ../script.js, scale: 10%}'));
    expect((await place.loadctl(['run', '--env', 'dev'])).code).toBe(0);
    expect([target.hits.get('GET /many'), target.hits.get('GET /one')]).toEqual([3, 1]);
    expect(Math.abs((target.hits.get('GET /rate') ?? 0) - 20)).toBeLessThanOrEqual(1);
  });
});

test('the load of a run ends with its load, not with the grace of its scenarios; and ps shows no percentiles', async () => {
  const target = await startTarget();
  const script = `import http from 'k6/http';
export const options = { vus: 2, duration: '3s', summaryTrendStats: ['avg', 'p(12.345)'] };
import { sleep } from 'k6';
export default () => { http.get(__ENV.BASE_URL); sleep(0.05); };
`;
  const place = withScript(script, profile(target.url));
  const running = place.start(['run', '--env', 'dev']);
  await running.until('the load begins');
  const started = events(place).flatMap((event) => (event.type === 'runner-started' ? [event.pid ?? 0] : []));
  const commands = started.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  const { code, stdout } = await running.said;
  expect(code, stdout).toBe(0);
  expect(commands.map((line) => [line.includes('--execution-segment'), line.length < 2000])).toEqual([
    [true, true],
    [true, true],
  ]);
  const seen = events(place).filter(({ type }) => type === 'fleet-sampled');
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.at(-1)?.totalMs).toBe(3000);
});

interface Event {
  readonly type: string;
  readonly pid?: number;
  readonly totalMs?: number;
}

function events(place: Workplace): Event[] {
  const lines = readFileSync(join(place.latestRun(), 'events.ndjson'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}
