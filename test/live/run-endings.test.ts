import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Said, type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

interface Ending {
  readonly name: string;
  readonly script: string;
  readonly profile?: string;
  readonly code: number;
  readonly says: RegExp;
  /** Whether the target may see requests of the script. */
  readonly loads: boolean;
}

const get = `http.get(__ENV.BASE_URL + '/work');`;
const endings: Ending[] = [
  { name: 'a syntax error', script: 'export default function ( {', code: 104, says: /Unexpected/, loads: false },
  {
    name: 'a throw in init',
    script: `throw new Error('boom in init');\nexport default () => {};`,
    code: 107,
    says: /boom in init[\s\S]*script\.js:/,
    loads: false,
  },
  {
    name: 'a throw in setup',
    script: `import http from 'k6/http';\nexport function setup() { throw new Error('boom in setup'); }\nexport default () => { ${get} };`,
    code: 107,
    says: /setup\(\).*boom in setup[\s\S]*script\.js:/,
    loads: false,
  },
  {
    name: 'a throw in teardown',
    script: `import http from 'k6/http';\nexport const options = { iterations: 2, vus: 2 };\nexport default () => { ${get} };\nexport function teardown() { throw new Error('boom in teardown'); }`,
    code: 107,
    says: /teardown\(\).*boom in teardown/,
    loads: true,
  },
  {
    name: 'test.abort()',
    script: `import http from 'k6/http';\nimport exec from 'k6/execution';\nexport const options = { vus: 2, duration: '30s' };\nexport default () => { ${get} exec.test.abort('enough'); };`,
    code: 108,
    says: /test\.abort\(\)/,
    loads: true,
  },
  {
    name: 'test.fail()',
    script: `import http from 'k6/http';\nimport exec from 'k6/execution';\nexport const options = { vus: 2, iterations: 4 };\nexport default () => { ${get} exec.test.fail('not good'); };`,
    code: 110,
    says: /test\.fail\(\)/,
    loads: true,
  },
  {
    name: 'a threshold with a syntax error',
    script: `export const options = { thresholds: { http_req_duration: ['p(95)<'] } };\nexport default () => {};`,
    code: 104,
    says: /threshold/,
    loads: false,
  },
  {
    name: 'a threshold on an unknown metric',
    script: `export const options = { thresholds: { nothing_there: ['p(95)<1'] } };\nexport default () => {};`,
    code: 104,
    says: /nothing_there/,
    loads: false,
  },
  {
    name: 'a threshold that its metric lacks',
    script: `export const options = { thresholds: { http_reqs: ['p(95)<1'] } };\nexport default () => {};`,
    code: 104,
    says: /http_reqs/,
    loads: false,
  },
  {
    name: 'an SLA on an unknown metric',
    script: 'export default () => {};',
    profile: 'workload: {script: ../script.js}\nsla: {"nothing_there": "p(95) < 500ms"}',
    code: 104,
    says: /nothing_there/,
    loads: false,
  },
  {
    name: 'an SLA that its metric lacks',
    script: 'export default () => {};',
    profile: 'workload: {script: ../script.js}\nsla: {http_reqs: "p(95) < 500"}',
    code: 104,
    says: /http_reqs/,
    loads: false,
  },
  {
    name: 'a load of its own and one of the profile',
    script: `export const options = { scenarios: { a: { executor: 'constant-vus', vus: 1, duration: '1s' } } };\nexport default () => {};`,
    profile: 'workload: {script: ../script.js, vus: 3, duration: 2s}',
    code: 104,
    says: /scenarios/,
    loads: false,
  },
  { name: 'a missing script', script: '', profile: 'workload: {script: ../nowhere.js}', code: 104, says: /nowhere\.js/, loads: false },
];

test.each(endings)('$name ends with $code', async ({ script, profile = 'workload: {script: ../script.js}', code, says, loads }) => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nrunners: {count: 2}\n${profile}\n`,
    'script.js': script,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.stdout + said.stderr).toMatch(says);
  expect(noTrace(said)).toBe(true);
  expect(said.code).toBe(code);
  expect((target.hits.get('GET /work') ?? 0) > 0).toBe(loads);
});

/** No stack trace of loadctl's own code. */
function noTrace({ stdout, stderr }: Said): boolean {
  return !/\n\s+at .*(dist|node_modules|node:)/.test(stdout + stderr);
}

const forever = `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };\nexport function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }`;
const long = (url: string) =>
  `target: {url: "${url}", health: /healthz}\nworkload: {script: ../script.js, vus: 4, duration: 60s}\nrunners: {count: 2}\nsla: {errors: < 1%, availability: 99%}\n`;

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends the load at once, tears down, keeps what was measured, and says how to clean up',
  async (signal) => {
    const target = await startTarget();
    const place = workplace({ 'profiles/dev.yaml': long(target.url), 'script.js': forever });
    const run = place.start(['run', '--env', 'dev']);
    await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);

    const begun = Date.now();
    run.process.kill(signal);
    const said = await run.said;

    expect(Date.now() - begun).toBeLessThan(7000);
    expect(said.code).toBe(105);
    expect(said.stdout + said.stderr).toContain('Nothing to clean up: this profile declares no test data.');
    expect(target.hits.get('GET /torn-down')).toBe(1);
    const verdict = JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8')) as { verdict: string };
    expect(verdict.verdict).toBe('interrupted');
    const summary = JSON.parse(readFileSync(join(place.latestRun(), 'summary.json'), 'utf8')) as {
      metrics: Record<string, { values: { count: number } }>;
    };
    expect(summary.metrics.http_reqs?.values.count).toBeGreaterThan(20);
    expect(k6Processes(place.folder)).toBe('');
  },
);

test('a second signal ends everything at once', async () => {
  const target = await startTarget();
  target.delays.set('/torn-down', 20_000);
  const place = workplace({ 'profiles/dev.yaml': long(target.url), 'script.js': forever });
  const run = place.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);

  run.process.kill('SIGINT');
  await expect.poll(() => target.hits.get('GET /torn-down') ?? 0, { timeout: 10_000 }).toBe(1);
  run.process.kill('SIGTERM');
  const begun = Date.now();
  const said = await run.said;

  expect(said.code).toBe(105);
  expect(Date.now() - begun).toBeLessThan(3000);
  expect(k6Processes(place.folder)).toBe('');
  expect(said.stderr).toContain('teardown() runs on runner 1 …');
  expect(said.stderr).toMatch(/teardown\(\) was cut off on runner 1.*: it may not have finished/);
  const told = readFileSync(join(place.latestRun(), 'events.ndjson'), 'utf8');
  expect([told.includes('teardown-cut-off'), told.includes('teardown-finished')]).toEqual([true, false]);
});

test('a target that is down before the start: 115, nothing is run', async () => {
  const target = await startTarget();
  await target.die();
  const place = workplace({ 'profiles/dev.yaml': long(target.url), 'script.js': forever });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.code).toBe(115);
  expect(said.stderr).toContain(target.url);
});

test('a target that dies in the middle: the verdict says so', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': long(target.url).replace('60s', '6s'), 'script.js': forever });
  const run = place.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);

  await target.die();
  const said = await run.said;

  expect(said.code).toBe(99);
  const verdict = JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8')) as {
    criteria: { name: string; outcome: string }[];
  };
  expect(verdict.criteria.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['errors', 'fail'],
    ['availability', 'fail'],
  ]);
});

test('a runner that is killed: the others are ended, the result is invalid and says which one', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': long(target.url), 'script.js': forever });
  const run = place.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);
  process.kill(pidOf(place, '2'), 'SIGKILL');

  const said = await run.said;

  expect(said.code).toBe(111);
  expect(said.stdout + said.stderr).toContain('Runner 2 was lost (killed by SIGKILL)');
  expect(k6Processes(place.folder)).toBe('');
});

test('a runner that does not get ready in time: 115 within it, the others are ended, nothing was run', async () => {
  const target = await startTarget();
  const slow = `const begun = Date.now();\nwhile (Date.now() - begun < 700);\n${forever}`;
  const profile = long(target.url).replace('vus: 4', 'vus: 60').replace('{count: 2}', '{count: 2, readyTimeout: 2s}');
  const place = workplace({ 'profiles/dev.yaml': profile, 'script.js': slow });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.code).toBe(115);
  expect(said.stderr).toMatch(/Runner \d on .* was not ready within 2 s/);
  expect(said.stderr).toContain('readyTimeout');
  expect(target.hits.get('GET /work') ?? 0).toBe(0);
  expect(k6Processes(place.folder)).toBe('');
});

test.each([
  ['', 111, 'invalid'],
  [', allowedLoss: 60%', 0, 'pass'],
] as const)('onLost: continue%s: the others finish the test, exit %d, %s', async (allowed, code, word) => {
  const target = await startTarget();
  const profile = long(target.url).replace('60s', '6s').replace('{count: 2}', `{count: 2, onLost: continue${allowed}}`);
  const place = workplace({ 'profiles/dev.yaml': profile, 'script.js': forever });
  const run = place.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);
  process.kill(pidOf(place, '2'), 'SIGKILL');
  await run.until('the others go on');
  const then = target.hits.get('GET /work') ?? 0;

  const said = await run.said;

  expect(target.hits.get('GET /work')).toBeGreaterThan(then + 40);
  expect(said, said.stderr).toMatchObject({ code });
  expect(target.hits.get('GET /torn-down')).toBe(1);
  expect(JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8'))).toMatchObject({ verdict: word });
});

test.runIf(process.getuid?.() === 0)('a disk that gets full in the middle: the load ends, 115 says so, no k6 is left', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': long(target.url), 'script.js': forever });
  const disk = join(place.folder, '.loadctl');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]);
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  const run = place.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);

  expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(1_000_000))).toThrow('ENOSPC');
  const said = await run.said;

  expect(said.code).toBe(115);
  expect(said.stderr).toContain('disk is full');
  expect(noTrace(said)).toBe(true);
  expect(k6Processes(place.folder)).toBe('');
});

test.each(['SIGKILL', 'SIGSTOP'] as const)('loadctl gets %s: its k6 processes do not go on without it', async (signal) => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': long(target.url), 'script.js': forever });
  const run = place.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);
  expect(k6Processes(place.folder)).not.toBe('');

  run.process.kill(signal);
  await expect.poll(() => k6Processes(place.folder), { timeout: 6000, interval: 100 }).toBe('');
  run.process.kill('SIGKILL');
  await run.said;

  const said = await place.loadctl(['verify']);
  expect(said.code).toBe(105);
  expect(said.stdout + said.stderr).toContain('killed or crashed');
});

/** The process id of a runner's k6, as the run's events tell it. */
function pidOf(place: Workplace, runner: string): number {
  const events = readFileSync(join(place.latestRun(), 'events.ndjson'), 'utf8').trim().split('\n');
  const started = events.map((line) => JSON.parse(line) as { type: string; runner?: string; pid?: number });
  return started.find((event) => event.type === 'runner-started' && event.runner === runner)?.pid ?? 0;
}

/** The k6 processes whose arguments name the folder. */
function k6Processes(folder: string): string {
  const all = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  return all
    .split('\n')
    .filter((line) => line.includes(folder) && line.includes('k6') && !line.includes('loadctl.js'))
    .join('\n');
}
