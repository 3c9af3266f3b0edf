import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LoggedEvent } from '../../src/core/events.js';
import type { Verdict } from '../../src/core/verdict.js';
import { canMakeHosts, startHosts } from '../servers/ssh-hosts.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { eventsIn } from '../support/replay.js';
import { sshProfile } from '../support/ssh-profile.js';
import { startTarget, type Target } from '../support/target.js';

const token = 'tok3nFirst-0123456789-tok3nLast';
const page = `<p>${'x'.repeat(100_000)}</p>`;
const withPage: Parameters<typeof startTarget>[0] = (request, response) => {
  if (!request.url?.startsWith('/page')) return false;
  response.writeHead(500).end(page);
  return true;
};

const get = (path: string) => `const answer = http.get(__ENV.BASE_URL + '${path}');`;
const scriptOf = (iteration: string) =>
  `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { ${iteration} };\nexport const teardown = () => { http.get(__ENV.BASE_URL + '/torn-down'); };\n`;
const flood = scriptOf(`${get('/page')} for (let i = 0; i < 8; i++) console.error(answer.body + __ENV.TOKEN);`);
const profileOf = (target: Target, workload: string, runners = 'count: 2') =>
  `target: {url: "${target.url}"}\nworkload: {script: ../script.js, env: {TOKEN: ${token}}, ${workload}}\nrunners: {${runners}}\nsla: {p99: < 60s}\n`;

const run = ['run', '--env', 'dev'];
const mega = 1024 * 1024;

/** The files below a folder that hold the token now. */
function holdersOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /tok3nFirst|tok3nLast/.test(read(join(folder, name))));
}

/** A file's bytes; none of a folder or a pipe, which would wait for its writer, or of a file that was just renamed. */
function read(path: string): string {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'latin1') : '';
  } catch {
    return '';
  }
}

const warningsIn = (place: Workplace, code: string) =>
  eventsIn(place.latestRun()).filter(
    (event): event is Extract<LoggedEvent, { type: 'warned' }> => event.type === 'warned' && event.code === code,
  );

function resultIn(place: Workplace) {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(place.latestRun(), name), 'utf8'));
  const { metrics } = read('summary.json') as { metrics: { http_reqs: { values: { count: number } } } };
  return { ...(read('verdict.json') as Verdict), count: metrics.http_reqs.values.count };
}

/** Everything that the target answered is in the result, whatever was logged. */
function expectWholeResult(place: Workplace, target: Target): void {
  const { criteria, count } = resultIn(place);
  expect(criteria.map(({ outcome }) => outcome)).toEqual(['pass']);
  const asked = [...target.hits].flatMap(([what, times]) => (['GET /', 'GET /healthz'].includes(what) ? [] : [times]));
  expect(count).toBe(asked.reduce((sum, times) => sum + times, 0));
}

function expectCutLogs(place: Workplace): void {
  for (const runner of ['1', '2']) {
    const log = join(place.latestRun(), 'runners', runner, 'log');
    expect(statSync(log).size).toBeLessThan(64 * mega);
    expect(statSync(log).size).toBeGreaterThan(60 * mega);
  }
  expect(warningsIn(place, 'log-cut')).toHaveLength(2);
  expect(warningsIn(place, 'files-not-kept')).toEqual([]);
  expect(holdersOf(join(place.folder, '.loadctl'))).toEqual([]);
}

test('a script that logs a page of 100 kB again and again: the log is cut, which is said, and the result is whole', async () => {
  const target = await startTarget(withPage);
  const place = workplace({ 'profiles/dev.yaml': profileOf(target, 'vus: 20, duration: 6s'), 'script.js': flood });
  const said = await place.loadctl(run);
  expect(said.stderr).toMatch(/warning: The log of runner 1 was cut: [\d.]+ [GM]B between its beginning and its end were discarded\./);
  expect(said.stderr).toMatch(/The script logged [\d,]+ lines: /);
  expect([0, 111]).toContain(said.code); // two cores may not be enough for it
  expectCutLogs(place);
  expectWholeResult(place, target);
  expect(readdirSync(join(place.folder, 'tmp'))).toEqual([]);
});

test.runIf(canMakeHosts())('the same over ssh', async () => {
  const network = await startHosts([{ name: 'h1' }]);
  const target = await startTarget(withPage, network.address);
  const profile = sshProfile(target.url, network, { count: 2, workload: `vus: 20, duration: 6s, env: {TOKEN: ${token}}` });
  const place = workplace({ 'profiles/dev.yaml': `${profile.replace(/^sla:.*\n/m, '')}sla: {p99: < 60s}\n`, 'script.js': flood });
  const said = await place.loadctl(run);
  expect([0, 111], said.stderr).toContain(said.code);
  expectCutLogs(place);
  expectWholeResult(place, target);
  expect([network.hosts[0]?.left(), readdirSync(join(place.folder, 'tmp'))]).toEqual([[], []]);
});

test('thousands of warnings a second when the target dies: all of them are counted, and the result is whole', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': profileOf(target, 'vus: 20, duration: 5s'),
    'script.js': scriptOf(`${get('/work')} if (answer.status === 200) sleep(0.05);`),
  });
  const started = place.start(run);
  await started.until('the load begins');
  await expect.poll(() => target.hits.get('GET /work') ?? 0).toBeGreaterThan(100);
  await target.die();
  const said = await started.said;
  const [warned] = warningsIn(place, 'k6-complained');
  expect(warned).toMatchObject({ message: expect.stringContaining('connect: connection refused'), times: expect.any(Number) });
  const times = warned?.code === 'k6-complained' ? warned.times : 0;
  const { count } = resultIn(place);
  expect(times, said.stderr).toBeGreaterThan(2000);
  expect(count).toBeGreaterThan(times);
  expect(count).toBeLessThanOrEqual(times + (target.hits.get('GET /work') ?? 0) + 50);
});

test('what a script says of a secret is in no kept file at any moment, and nowhere when loadctl was killed', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': profileOf(target, 'vus: 2, duration: 60s'),
    'script.js': scriptOf('console.error(__ENV.TOKEN); sleep(0.05);'),
  });
  const kept = join(place.folder, '.loadctl');
  const [seen, raw] = [new Set<string>(), new Set<string>()];
  const started = place.start(run);
  await started.until('the load begins');
  const looksRaw = () => holdersOf(join(place.folder, 'tmp')).some((name) => name.endsWith('/log') && raw.add(name));
  await expect.poll(looksRaw, { timeout: 10_000 }).toBe(true);
  started.process.kill('SIGKILL');
  await started.said;
  const look = () => {
    for (const name of holdersOf(kept)) seen.add(name);
    return readdirSync(join(place.folder, 'tmp')).filter((name) => name.length === 'loadctl-0123456789abcdef'.length);
  };
  await expect.poll(look, { timeout: 8000, interval: 20 }).toEqual([]);
  await place.loadctl(['runs']);
  expect([[...seen], holdersOf(kept), readdirSync(join(place.folder, 'tmp'))]).toEqual([[], [], []]);

  const ended = place.start(run);
  await ended.until('the load begins');
  await expect.poll(looksRaw, { timeout: 10_000 }).toBe(true);
  ended.process.kill('SIGINT');
  const watching = setInterval(look, 20);
  expect((await ended.said).code).toBe(105);
  clearInterval(watching);
  expect(place.read(join('.loadctl', 'runs', readdirSync(join(kept, 'runs')).sort().at(-1) ?? '', 'runners', '1', 'log'))).toContain(
    '[redacted]',
  );
  expect([[...seen], holdersOf(place.folder).filter((name) => !name.startsWith('profiles'))]).toEqual([[], []]);
});

test('a log that cannot be kept is a warning: the result is what it is', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': profileOf(target, 'vus: 2, duration: 2s'),
    'script.js': scriptOf(`${get('/work')} sleep(0.1);`),
  });
  const started = place.start(run);
  await started.until('the load begins');
  mkdirSync(join(place.latestRun(), 'runners', '1', 'log')); // where the file should be
  const said = await started.said;
  expect(said.stderr).toContain('warning: Runner 1: not all of its files could be kept: EISDIR');
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expectWholeResult(place, target);
});

test('where no load was made, what the runners said is kept all the same', async () => {
  const target = await startTarget();
  const throwing = `${scriptOf('')}export function setup() { console.log('said before'); throw new Error('no ' + __ENV.TOKEN); }`;
  const place = workplace({ 'profiles/dev.yaml': profileOf(target, 'vus: 2, duration: 2s'), 'script.js': throwing });
  expect((await place.loadctl(run)).code).toBe(107);
  const log = readFileSync(join(place.latestRun(), 'runners', '1', 'log'), 'utf8');
  expect([log.includes('said before'), holdersOf(join(place.folder, '.loadctl'))]).toEqual([true, []]);
});
