import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget, type Target } from '../support/target.js';

interface Case {
  readonly name: string;
  /** Options of the script, as k6 code. */
  readonly options?: string;
  /** The body of its default function. */
  readonly body?: string;
  readonly more?: string;
  readonly path?: string;
  readonly runners?: number;
  readonly code?: number;
  readonly says?: RegExp;
  readonly never?: RegExp;
  /** What reaches the target, by path. */
  readonly hits?: Readonly<Record<string, number>>;
}

const get = `http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } });`;
const seen = `http.get(__ENV.BASE_URL + '/saw-' + (data === undefined ? 'undefined' : JSON.stringify(data)));`;

const cases: Case[] = [
  {
    name: 'functions of scenarios may be called what the wrapper uses, or no identifier at all',
    options: `{ scenarios: { a: { executor: 'per-vu-iterations', vus: 3, iterations: 2, exec: 'user' }, b: { executor: 'shared-iterations', iterations: 3, exec: 'begin' },
      c: { executor: 'shared-iterations', iterations: 1, exec: 'place order' } } }`,
    more: `export function user() { ${get} }\nexport function begin() { ${get} }\nfunction order() { ${get} }\nexport { order as 'place order' };`,
    hits: { '/work': 10 },
  },
  { name: 'a path that is no URL', path: "a#b%20c?d/scr ü'pt.js", hits: { '/work': 6 } },
  { name: 'setup() that gives null', body: seen, more: 'export function setup() { return null; }', hits: { '/saw-null': 6 } },
  { name: 'setup() that gives nothing', body: seen, more: 'export function setup() {}', hits: { '/saw-undefined': 6 } },
  {
    name: 'noSetup and noTeardown',
    options: '{ vus: 3, iterations: 6, noSetup: true, noTeardown: true }',
    more: `export function setup() { ${get} }\nexport function teardown() { ${get} }`,
    hits: { '/work': 6 },
  },
  {
    name: 'test.abort() in setup()',
    more: `export function setup() { exec.test.abort('not today'); }`,
    code: 108,
    says: /called test\.abort\(\) in setup\(\): not today/,
    hits: {},
  },
  {
    name: 'test.abort() in teardown()',
    more: `export function teardown() { exec.test.abort('no more'); }`,
    code: 108,
    says: /called test\.abort\(\) in teardown\(\): no more/,
    hits: { '/work': 6 },
  },
  {
    name: 'test.fail() in teardown()',
    more: `export function teardown() { exec.test.fail('too late'); }`,
    code: 110,
    says: /test\.fail\(\)/,
    hits: { '/work': 6 },
  },
  { name: 'test.abort() in init code', more: `exec.test.abort('never');`, code: 108, says: /in its init code: .*never/, hits: {} },
  {
    name: 'a throw in the init code of later VUs',
    more: `if (__VU > 0) throw new Error('late');`,
    code: 107,
    says: /Error: late/,
    hits: {},
  },
  {
    name: 'console.error before a throw in init code',
    more: `console.error('noise');\nthrow new Error('boom');`,
    code: 107,
    says: /init code: Error: boom/,
    hits: {},
  },
  {
    name: 'a handleSummary that throws',
    more: `export function handleSummary() { throw new Error('no summary'); }`,
    says: /handleSummary failed: Error: no summary \(at .*script\.js/,
    never: /TOTAL RESULTS|hand-over/,
  },
  { name: 'a handleSummary that gives nothing', more: 'export function handleSummary() {}', never: /TOTAL RESULTS|handleSummary failed/ },
  {
    name: 'a handleSummary that writes to stderr',
    more: `export function handleSummary() { return { stderr: 'by the way', stdout: 'on the whole' }; }`,
    says: /on the whole[\s\S]*by the way/,
    never: /failed/,
  },
  {
    name: 'rps caps the fleet, not each runner',
    options: '{ vus: 3, iterations: 21, rps: 15, thresholds: { http_reqs: ["rate<20"] } }',
    hits: { '/work': 21 },
  },
  {
    name: 'rps below the number of runners',
    options: '{ vus: 3, iterations: 3, rps: 2 }',
    code: 104,
    says: /rps: 2 .* 3 runners/,
    hits: {},
  },
  {
    name: 'an execution segment',
    options: `{ vus: 4, iterations: 8, executionSegment: '0:1/2' }`,
    code: 104,
    says: /executionSegment/,
    hits: {},
  },
  {
    name: 'an option that k6 does not have',
    options: '{ vus: 3, iterations: 6, disGard: 1 }',
    says: /k6 reported: .*disGard/,
    hits: { '/work': 6 },
  },
  {
    name: 'a tag called part, where loadctl marks what is no setup() by it',
    options: `{ vus: 3, iterations: 6, tags: { part: 'mine' } }`,
    more: 'export function setup() {}',
    says: /tag `part` is lost/,
  },
  {
    name: 'a tag called part, where loadctl marks nothing',
    options: `{ vus: 3, iterations: 6, tags: { part: 'mine' }, thresholds: { 'http_reqs{part:mine}': ['count==6'] } }`,
    never: /tag `part`/,
  },
  { name: 'fewer iterations than runners', options: '{ vus: 1, iterations: 1 }', never: /No script iterations/, hits: { '/work': 1 } },
  {
    name: 'a limit with decimals is shown as it was written',
    options: `{ vus: 3, iterations: 6, thresholds: { http_req_duration: ['avg<1000.5'] } }`,
    says: /< 1,000\.5 ms/,
  },
];

test.each(cases)('$name', async (one) => {
  const target = await startTarget();
  const place = placeOf(one, target);

  const said = await place.loadctl(['run', '--env', 'dev']);

  const all = said.stdout + said.stderr;
  expect({ code: said.code, all }).toEqual({ code: one.code ?? 0, all });
  if (one.says) expect(all).toMatch(one.says);
  if (one.never) expect(all).not.toMatch(one.never);
  if (one.hits) expect(hitsOf(target)).toEqual(one.hits);
});

/**
 * k6 that says what it says of a push that took longer than the time to the next one, what Go says of its scheduler on a machine that has run
 * for 25 days, and something else.
 */
const k6WithChatter = (k6: string) => `#!/bin/sh
export GODEBUG=schedtrace=50
if [ "$1" = run ] && [ -n "$LOADCTL_RUNNER" ]; then
  echo '{"level":"warning","msg":"Successful flushed time series to remote write endpoint but it took 250ms while flush period is 200ms. Some samples may be dropped."}' >&2
  echo '{"level":"warning","msg":"Something else is amiss"}' >&2
fi
exec '${k6}' "$@"
`;

test('a push that took its time is not told as lost samples, and what Go says of its scheduler not at all', async () => {
  const target = await startTarget();
  const place = placeOf({ name: '', options: '{ vus: 3, iterations: 6 }', hits: {} }, target);
  const k6 = join(place.folder, 'k6.sh');
  writeFileSync(k6, k6WithChatter(process.env.LOADCTL_K6 ?? 'k6'), { mode: 0o755 });

  const said = await place.loadctl(['run', '--env', 'dev'], { LOADCTL_K6: k6 });

  expect(said.code, said.stderr).toBe(0);
  expect(said.stdout + said.stderr).toMatch(/k6 reported 3 times: Something else is amiss/);
  expect(said.stdout + said.stderr).not.toMatch(/flushed|dropped|SCHED/);
});

function placeOf(
  { path = 'script.js', options = '{ vus: 3, iterations: 6 }', body = get, more = '', runners = 3 }: Case,
  { url }: Target,
): Workplace {
  const imports = `import http from 'k6/http';\nimport exec from 'k6/execution';`;
  return workplace({
    'profiles/dev.yaml': `target: {url: "${url}"}\nworkload: {script: ${JSON.stringify(`../${path}`)}}\nrunners: {count: ${runners}}\n`,
    [path]: `${imports}\nexport const options = ${options};\nexport default function (data) { ${body} }\n${more}\n`,
  });
}

function hitsOf({ hits }: Target): Record<string, number> {
  const ofScript = [...hits].filter(([key]) => key !== 'GET /' && key.startsWith('GET '));
  return Object.fromEntries(ofScript.map(([key, count]) => [decodeURIComponent(key.slice('GET '.length)), count]));
}

test("a script's own user agent stays; without one it is loadctl's", async () => {
  const agents = new Set<string | undefined>();
  const target = await startTarget((request) => {
    if (request.url === '/work') agents.add(request.headers['user-agent']);
    return false;
  });

  await placeOf({ name: '', options: `{ vus: 3, iterations: 3, userAgent: 'mine/1' }` }, target).loadctl(['run', '--env', 'dev']);
  expect([...agents]).toEqual(['mine/1']);
  agents.clear();
  await placeOf({ name: '', options: '{ vus: 3, iterations: 3 }' }, target).loadctl(['run', '--env', 'dev']);
  expect([...agents]).toEqual([expect.stringMatching(/^loadctl\/\d/)]);
});

test('Ctrl-C in teardown(), after the load: it ends, what was measured stays, and the run is interrupted', async () => {
  const target = await startTarget();
  target.delays.set('/torn-down', 1500);
  const place = placeOf({ name: '', more: `export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }` }, target);
  const run = place.start(['run', '--env', 'dev', '--json']);
  await expect.poll(() => target.hits.get('GET /torn-down') ?? 0, { timeout: 20_000 }).toBe(1);

  run.process.kill('SIGINT');
  const said = await run.said;

  expect(said.code).toBe(105);
  expect(said.stderr).toContain('teardown() ran');
  expect(JSON.parse(said.stdout)).toMatchObject({ verdict: 'interrupted', exitCode: 105 });
  expect((await place.loadctl(['verify'])).code).toBe(105);
});

/** In the place of Chromium, which few machines have: writes down what it was started with. */
const noBrowser = (file: string) => `#!/bin/sh\necho "$@" >>'${file}'\nexit 3\n`;

test('variables of the browser module come from workload.env; those of the shell are named with it', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}
workload:
  script: ../script.js
  env: {K6_BROWSER_EXECUTABLE_PATH: ./chromium, K6_BROWSER_ARGS: "no-sandbox,lang=de", K6_SECRET_SOURCE: "mock=default,word=hidden-word"}
runners: {count: 1}
`,
    'script.js': `import { browser } from 'k6/browser';
import secrets from 'k6/secrets';
import http from 'k6/http';
const options_ = { browser: { type: 'chromium' } };
export const options = { scenarios: { ui: { executor: 'shared-iterations', iterations: 1, options: options_ } } };
export async function setup() { http.get(__ENV.BASE_URL + '/' + (await secrets.get('word')).length); }
export default async function () { await browser.newPage(); }`,
  });
  const chromium = place.file('chromium', noBrowser(join(place.folder, 'args')));
  chmodSync(chromium, 0o755);
  const shell = { K6_BROWSER_ARGS: 'lang=fr', K6_SECRET_SOURCE: 'mock=default,word=x', K6_VUS: '7' };

  const said = await place.loadctl(['run', '--env', 'dev', '--set', `workload.env.K6_BROWSER_EXECUTABLE_PATH=${chromium}`], shell);

  expect(place.read('args')).toMatch(/--no-sandbox.*--lang=de|--lang=de.*--no-sandbox/);
  expect(target.hits.get(`GET /${'hidden-word'.length}`)).toBe(1);
  expect(said.stdout + said.stderr).not.toContain('hidden-word');
  expect(said.stderr).toContain('Ignored from the environment: K6_BROWSER_ARGS, K6_SECRET_SOURCE, K6_VUS.');
  expect(said.stderr).toContain(
    'Set it in the profile: workload.options; workload.env: {K6_BROWSER_ARGS: "${K6_BROWSER_ARGS}", K6_SECRET_SOURCE: "${K6_SECRET_SOURCE}"}.',
  );
});
