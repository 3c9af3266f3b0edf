import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CloudApi, type CloudCourse, startCloudApi } from '../servers/cloud-api.js';
import { type Workplace, workplace } from '../support/loadctl.js';

const token = 'glc-token-of-the-test';
const storePassword = 'pa55-of-the-store';
const run = ['run', '--profile', 'cloud.yaml', '--json'];

const script = `import http from 'k6/http';
import { path } from './path.js';
export const options = {
  vus: 2,
  duration: '10s',
  cloud: { name: 'the script’s name', note: 'kept' },
  thresholds: { checks: ['rate>0.9'] },
};
export default () => http.get(__ENV.BASE_URL + path);
`;

/** A folder with a script and a profile for the service at `host`, and secrets of every kind around. */
function place(host: string, more = ''): Workplace {
  return workplace({
    'script.js': script,
    'path.js': "export const path = '/work';",
    'cloud.yaml': `environment: cloudy
target: {url: "http://target.example.com", health: /healthz}
workload: {script: script.js, env: {FEATURE: "on", API_KEY: "\${API_KEY}", KEPT: stays, K6_RPS: "7"}}
stores: {cache: {kind: redis, url: "redis://app:${storePassword}@cache.example.com:6379/0"}}
runners:
  backend: cloud
  cloud:
    token: "\${K6_CLOUD_TOKEN}"
    stack: 5
    project: 123
    host: ${host}
    zones: {"amazon:de:frankfurt": 60%, "amazon:us:palo alto": 40%}
    env: [BASE_URL, FEATURE, LOADCTL_RUN]
    awayTimeout: 3s
sla: {p95: < 500ms, errors: < 0.1%, throughput: 10/s, availability: 99.9%, "http_req_duration{name:GET /events}": [p(99) < 800ms]}
critical: {cpu: < 80%}
guards: {allow: [target.example.com, cache.example.com], confirm: false, maxVuHours: 1}
${more}`,
  });
}

const secrets = { K6_CLOUD_TOKEN: token, API_KEY: 'key-of-the-api-1', SHELL_SECRET: 'secret-of-the-shell', K6_VUS: '77' };

/** The k6 processes that name this folder in their arguments. */
function processesOf(folder: string): string[] {
  const all = execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(folder) && line.includes('cloud run'));
}

type Started = ReturnType<Workplace['start']>;

async function cloudy(course: CloudCourse): Promise<{ api: CloudApi; at: Workplace }> {
  const api = await startCloudApi(course, token);
  return { api, at: place(api.url) };
}

function verdictOf(at: Workplace) {
  return JSON.parse(readFileSync(join(at.latestRun(), 'verdict.json'), 'utf8')) as {
    verdict: string;
    exitCode: number;
    exitCodes: number[];
    reasons: string[];
    criteria: { name: string; actual: number | null; outcome: string }[];
  };
}

/** What of an archive is to be read by name. */
function unpack(archive: Buffer, at: Workplace): { files: string[]; metadata: Record<string, unknown>; all: string } {
  const folder = join(at.folder, 'unpacked');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.tar'), archive);
  execFileSync('tar', ['-xf', 'a.tar'], { cwd: folder });
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== 'a.tar');
  const text = (entry: (typeof files)[number]) => readFileSync(join(entry.parentPath, entry.name), 'utf8');
  const metadata = JSON.parse(readFileSync(join(folder, 'metadata.json'), 'utf8')) as Record<string, unknown>;
  return { files: files.map(({ name }) => name).sort(), metadata, all: files.map(text).join('\n') };
}

describe('k6 2.2 and a local server that speaks its part of the API', () => {
  test('a pass: the link at once, one criterion without numbers, and what nobody measured', async () => {
    const { api, at } = await cloudy({ statuses: ['initializing', 'completed'] });
    const said = await at.loadctl(run, secrets);
    expect(said).toMatchObject({ code: 0 });
    expect(said.stderr).toContain(`Grafana Cloud has the run: ${api.page}`);
    expect(said.stderr.indexOf(api.page)).toBeLessThan(said.stderr.indexOf('Grafana Cloud: Initializing'));
    const verdict = verdictOf(at);
    expect(verdict).toMatchObject({ verdict: 'pass', exitCode: 0 });
    expect(verdict.criteria.map(({ name, actual, outcome }) => [name, actual, outcome])).toEqual([
      ['thresholds (Grafana Cloud)', null, 'pass'],
      ['availability', null, 'not-measured'],
      ['cpu', null, 'not-measured'],
    ]);
    expect(verdict.reasons.join(' ')).toMatch(/availability was not measured .* cpu was not measured/);
    expect(await at.loadctl(['verify'])).toMatchObject({ code: 0, stdout: expect.stringContaining('not measured') as string });
    expect(await at.loadctl(['report', '--out', 'page.html'])).toMatchObject({ code: 0 });
    expect(at.read('page.html')).toContain('thresholds (Grafana Cloud)');
    expect(await at.loadctl(['attach'])).toMatchObject({ code: 0, stderr: expect.stringContaining(api.page) as string });
    expect((await at.loadctl(['runs'])).stdout).toContain('pass');
  });

  test('k6 goes through the proxy that the shell names, and the run with it', async () => {
    const api = await startCloudApi({ statuses: ['completed'] }, token);
    const { port } = new URL(api.url);
    const passed: string[] = [];
    const proxy = createServer((call, answer) => {
      const { host, pathname, search } = new URL(call.url ?? '');
      passed.push(host);
      const onward = { host: '127.0.0.1', port, path: `${pathname}${search}`, method: call.method, headers: call.headers };
      call.pipe(request(onward, (got) => got.pipe(answer.writeHead(got.statusCode ?? 502, got.headers))));
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void proxy.close());
    const at = place('http://api.cloud.example.com');

    const allowed = ['--set', 'guards.allow=[target.example.com, cache.example.com, api.cloud.example.com]'];
    const said = await at.loadctl([...run, ...allowed], {
      ...secrets,
      HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    });

    expect(said.code, said.stderr).toBe(0);
    expect(new Set(passed)).toEqual(new Set(['api.cloud.example.com']));
    expect(unpack(api.archive(), at).all).not.toContain('HTTP_PROXY');
  });

  test('only what was allowed is uploaded', async () => {
    const { api, at } = await cloudy({ statuses: ['completed'] });
    expect(await at.loadctl(run, secrets)).toMatchObject({ code: 0 });
    const { files, metadata, all } = unpack(api.archive(), at);
    expect(files).toEqual(['data', 'metadata.json', 'path.js', 'script.js']);
    expect(metadata.env).toEqual({
      BASE_URL: 'http://target.example.com',
      FEATURE: 'on',
      LOADCTL_RUN: basename(at.latestRun()),
    });
    const { cloud, thresholds, scenarios, rps } = metadata.options as Record<string, Record<string, unknown>>;
    expect(rps).toBe(7); // what K6_RPS says to k6, as a shell's would
    expect(cloud).toEqual({
      name: 'the script’s name',
      note: 'kept',
      projectID: 123,
      distribution: {
        amazon_de_frankfurt: { loadZone: 'amazon:de:frankfurt', percent: 60 },
        amazon_us_palo_alto: { loadZone: 'amazon:us:palo alto', percent: 40 },
      },
      token, // k6 2.2 puts it there, whoever hands it the archive
    });
    expect(thresholds).toEqual({
      checks: ['rate>0.9'],
      http_req_duration: ['p(95)<500'],
      http_req_failed: ['rate<0.001'],
      http_reqs: ['rate>=10'],
      'http_req_duration{name:GET /events}': ['p(99)<800'],
    });
    expect(scenarios?.default).toMatchObject({ executor: 'constant-vus', vus: 2, duration: '10s' });
    expect(all.split(token)).toHaveLength(2);
    for (const kept of [storePassword, secrets.API_KEY, secrets.SHELL_SECRET, 'stays', 'cache.example.com', process.env.PATH ?? '-'])
      expect(all).not.toContain(kept);
    const runDirectory = readdirSync(at.latestRun(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    expect(runDirectory.filter((text) => text.includes(token))).toEqual([]);
  });

  test('thresholds that fail, an error and an abort there are told apart', async () => {
    const [failing, erring, aborted] = await Promise.all([
      cloudy({ statuses: ['completed'], result: 'failed' }),
      cloudy({ statuses: ['completed'], result: 'error' }),
      cloudy({ statuses: ['initializing', 'aborted'], result: 'error' }),
    ]);
    const said = await Promise.all([failing, erring, aborted].map(({ at }) => at.loadctl(run, secrets)));
    expect(said.map(({ code }) => code)).toEqual([99, 111, 111]);
    const verdict = verdictOf(failing.at);
    expect(verdict).toMatchObject({ verdict: 'fail', exitCodes: [99] });
    expect(verdict.criteria[0]).toMatchObject({ name: 'thresholds (Grafana Cloud)', outcome: 'fail', actual: null });
    expect(verdictOf(erring.at)).toMatchObject({ verdict: 'invalid', exitCodes: [111] });
    expect(verdictOf(erring.at).reasons[0]).toContain('k6 exit 97');
    expect(verdictOf(aborted.at)).toMatchObject({ verdict: 'invalid', exitCodes: [111] });
    expect(verdictOf(aborted.at).reasons[0]).toBe(`Grafana Cloud aborted the run; why, its page says. See ${aborted.api.page}`);
  });

  test('SIGINT, SIGTERM and loadctl stop end the run there, and that is waited for', async () => {
    const stops = {
      SIGINT: async ({ process }: Started) => process.kill('SIGINT'),
      SIGTERM: async ({ process }: Started) => process.kill('SIGTERM'),
      stop: async (_: Started, at: Workplace) => expect(await at.loadctl(['stop', basename(at.latestRun())])).toMatchObject({ code: 0 }),
    };
    const stopped = Object.values(stops).map(async (stop) => {
      const { api, at } = await cloudy({ statuses: ['initializing', 'running'] });
      const started = at.start(run, secrets);
      await started.until('Grafana Cloud: Initializing');
      await stop(started, at);
      expect(await started.said).toMatchObject({ code: 105 });
      expect(verdictOf(at)).toMatchObject({ verdict: 'interrupted', exitCode: 105 });
      expect(api.count('abort')).toBe(1);
      expect(api.requests.at(-1)?.what).toBe('poll');
    });
    await Promise.all(stopped);
  });

  test('a signal while the test is handed over: what began is ended there, and a second one leaves it', async () => {
    let answer = () => {};
    const until = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const holding = () => cloudy({ statuses: ['running'], holds: { at: 'start', until } });
    const [begun, left] = await Promise.all([holding(), holding()]);
    const [beginning, leaving] = [begun, left].map(({ at }) => at.start(run, secrets)) as [Started, Started];
    await expect.poll(() => begun.api.count('start') + left.api.count('start'), { timeout: 10_000 }).toBe(2);
    beginning.process.kill('SIGINT');
    leaving.process.kill('SIGINT');
    await Promise.all([beginning, leaving].map(({ until }) => until('stopping gracefully')));
    leaving.process.kill('SIGTERM');
    expect(await leaving.said).toMatchObject({ code: 105, stderr: expect.stringContaining('the page of the project shows') as string });
    answer();
    expect(await beginning.said).toMatchObject({ code: 105, stderr: expect.stringContaining(begun.api.page) as string });
    expect([begun.api.count('start'), begun.api.count('abort')]).toEqual([1, 1]);
    expect(verdictOf(begun.at)).toMatchObject({ verdict: 'interrupted', exitCode: 105 });
    expect((await left.at.loadctl(['verify'])).stdout).toContain('did not say that it has the run');
  });

  test('a loadctl that is killed takes along a k6 that hands over, and says afterwards what is unknown', async () => {
    let answer = () => {};
    const until = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { api, at } = await cloudy({ statuses: ['running'], holds: { at: 'start', until } });
    const started = at.start(run, secrets);
    await expect.poll(() => api.count('start'), { timeout: 10_000 }).toBe(1);
    expect(processesOf(at.folder)).not.toEqual([]);
    started.process.kill('SIGKILL');
    await expect.poll(() => processesOf(at.folder), { timeout: 5000 }).toEqual([]);
    answer();
    expect((await at.loadctl(['verify'])).stdout).toContain('Whether one began in Grafana Cloud, the page of the project shows.');
  });

  test('an abort that the service does not take is told, and the run is not called passed', async () => {
    const { api, at } = await cloudy({
      statuses: ['running', 'running', 'running', 'completed'],
      refuses: { at: 'abort', status: 403, message: 'Not yours' },
    });
    const started = at.start(run, secrets);
    await started.until('Grafana Cloud: Running');
    started.process.kill('SIGINT');
    const { code, stderr } = await started.said;
    expect(stderr).toMatch(/Grafana Cloud did not take the abort: .*Not yours\n.*Ctrl-C/);
    expect(code).toBe(105);
    expect(api.count('abort')).toBe(1);
    expect(verdictOf(at)).toMatchObject({ verdict: 'interrupted', exitCodes: [105] });
  });

  test('a test that k6 itself does not take, and a service that is another one', async () => {
    const { api, at } = await cloudy({ statuses: ['completed'] });
    const unknown = await at.loadctl([...run, '--set', 'sla={"no_such_metric": "p(95) < 5"}'], secrets);
    expect(unknown).toMatchObject({ code: 104, stderr: expect.stringMatching(/no metric name "no_such_metric" found/) as string });
    at.file('script.js', script.replace("'the script’s name'", '5'));
    expect(await at.loadctl(run, secrets)).toMatchObject({
      code: 104,
      stderr: expect.stringContaining('does not take the test') as string,
    });
    expect(api.requests).toEqual([]);
    const other = await cloudy({ statuses: [], answers: { start: {}, 'GET /cloud/v6/test_runs/0': {} } });
    const { code, stderr } = await other.at.loadctl(run, secrets);
    expect(code).toBe(115);
    expect(stderr).toMatch(/panic: .*\n.*hint: .*whether a run began/);
    expect(stderr).not.toContain('cloud.go');
  });

  test('a service that goes away is left: after a while, or at a second signal', async () => {
    const [away, asked] = await Promise.all([
      cloudy({ statuses: ['initializing', 'away'] }),
      cloudy({ statuses: ['initializing', 'away'] }),
    ]);
    const leaving = away.at.loadctl([...run, '--set', 'cleanup.keys=[{match: "cache/u:load-test-user-*"}]'], secrets);
    const started = asked.at.start([...run, '--set', 'runners.cloud.awayTimeout=5m'], secrets);
    await started.until('does not say how the run is');
    started.process.kill('SIGINT');
    await started.until('stopping gracefully');
    started.process.kill('SIGTERM');
    expect(await started.said).toMatchObject({ code: 105, stderr: expect.stringContaining('It may go on there') as string });
    expect(verdictOf(asked.at).verdict).toBe('interrupted');
    expect(await leaving).toMatchObject({ code: 115, stderr: expect.stringContaining('loadctl left the run') as string });
    expect((await leaving).stderr).toContain(
      'Clean up once its page says that it is over, as it may write until then: loadctl cleanup --profile cloud.yaml',
    );
    expect(verdictOf(away.at)).toMatchObject({ verdict: 'invalid', exitCode: 115 });
    expect(verdictOf(away.at).reasons[0]).toContain(away.api.page);
  });

  test('a wrong token, reached limits, unfit options and a service that is not there', async () => {
    const [wrong, limited, unfit] = await Promise.all([
      cloudy({ statuses: [] }),
      cloudy({ statuses: [], refuses: { at: 'start', status: 403, message: 'The VU hours of the plan are used up' } }),
      cloudy({ statuses: [], refuses: { at: 'validate', status: 400, message: 'No such load zone' } }),
    ]);
    const other = { ...secrets, K6_CLOUD_TOKEN: 'glc-another-token' };
    const said = await Promise.all([
      wrong.at.loadctl(run, other),
      limited.at.loadctl(run, secrets),
      unfit.at.loadctl(run, secrets),
      place('http://127.0.0.1:9').loadctl(run, secrets),
    ]);
    expect(said.map(({ code }) => code)).toEqual([115, 115, 104, 115]);
    const [token, limits, options, away] = said.map(({ stderr }) => stderr);
    expect(token).toMatch(/does not accept the token.*\n.*runners\.cloud\.token/);
    expect(said.map(({ stdout, stderr }) => stdout + stderr).join()).not.toContain(other.K6_CLOUD_TOKEN);
    expect(limits).toMatch(/refused the run.*VU hours of the plan are used up/);
    expect(options).toContain('No such load zone');
    expect(away).toContain('connection refused');
    expect(wrong.api.count('start')).toBe(0);
    expect(await wrong.at.loadctl(['verify'])).toMatchObject({ code: 115 });
  });

  test('more VU hours than the guard allows, secrets that nobody confirmed and writes that cleanup would miss are refused before anything is sent', async () => {
    const { api, at } = await cloudy({ statuses: ['completed'] });
    const much = await at.loadctl(['run', '--profile', 'cloud.yaml', '--set', 'guards.maxVuHours=0.001', '--json'], secrets);
    expect(much).toMatchObject({ code: 112, stderr: expect.stringContaining('guards.maxVuHours allows 0 VU hours') as string });
    const leaving = ['--profile', 'cloud.yaml', '--set', 'runners.cloud.env=[BASE_URL, API_KEY]', '--json'];
    const unsaid = await at.loadctl(['run', ...leaving], secrets);
    expect(unsaid).toMatchObject({ code: 112, stderr: expect.stringContaining('gets these secrets: API_KEY') as string });
    expect(unsaid.stderr).toContain('variables that leave: BASE_URL, API_KEY (secret)');
    at.file('script.js', `${script}export const prefix = __ENV.LOADCTL_VIRTUAL_USER_PREFIX;`);
    const lost = await at.loadctl([...run, '--set', 'cleanup.keys=[{match: "cache/u:load-test-user-*"}]'], secrets);
    expect(lost).toMatchObject({ code: 112, stderr: expect.stringContaining('cleanup could not find it') as string });
    expect(api.requests).toEqual([]);
  });
});
