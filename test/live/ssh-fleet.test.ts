import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GeneratorSample } from '../../src/metrics/generators.js';
import { canMakeHosts, type SshTestNetwork, startHosts } from '../servers/ssh-hosts.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { endlessScript, oneMinute, sshProfile } from '../support/ssh-profile.js';
import { startTarget } from '../support/target.js';

const password = `it's $HOME "quoted" and ; secret`;
const fixedWork = `
import http from 'k6/http';
import { Counter } from 'k6/metrics';
const seen = new Counter('setup_seen');
export const options = { scenarios: { all: { executor: 'per-vu-iterations', vus: 24, iterations: 5 } } };
export function setup() { http.get(__ENV.BASE_URL + '/setup'); return { token: 'from-setup' }; }
export default function (data) {
  if (data.token === 'from-setup') seen.add(1);
  http.get(__ENV.BASE_URL + (__ENV.SHOP_PASSWORD === ${JSON.stringify(password)} ? '/work' : '/stranger'));
}
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }
`;

interface Counted {
  readonly runners: number;
  readonly metrics: Record<string, { values: Record<string, number> }>;
}

const summaryOf = (place: Workplace) => JSON.parse(readFileSync(join(place.latestRun(), 'summary.json'), 'utf8')) as Counted;
const withPassword = (network: SshTestNetwork, url: string, count: number) =>
  sshProfile(url, network, { count, workload: `env: {SHOP_PASSWORD: ${JSON.stringify(password)}}` });

function linesOf<T>(place: Workplace, file: string): T[] {
  const lines = readFileSync(join(place.latestRun(), file), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

function expectNothingLeft({ hosts }: SshTestNetwork): void {
  expect(hosts.map(({ name, left, k6 }) => [name, left(), k6()])).toEqual(hosts.map(({ name }) => [name, [], []]));
}

test.runIf(canMakeHosts()).each([
  { title: 'two hosts with two runners each', kinds: [{ name: 'h1' }, { name: 'h2' }], count: 4 },
  { title: 'one host with twelve runners, two more than sshd allows sessions', kinds: [{ name: 'h1' }], count: 12 },
])('$title are one test, and nothing is left on the hosts', async ({ kinds, count }) => {
  const network = await startHosts(kinds);
  const target = await startTarget(undefined, network.address);
  const place = workplace({ 'profiles/dev.yaml': withPassword(network, target.url, count), 'script.js': fixedWork });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.stderr).toContain(`runner ${count} started on h${kinds.length}`);
  expect(said.code).toBe(0);
  expect(Object.fromEntries([...target.hits].filter(([what]) => what !== 'GET /healthz'))).toEqual({
    'GET /setup': 1,
    'GET /work': 120,
    'GET /torn-down': 1,
  });
  const { runners, metrics } = summaryOf(place);
  expect([runners, metrics.iterations?.values.count, metrics.setup_seen?.values.count]).toEqual([count, 120, 120]);
  expect(readdirSync(join(place.latestRun(), 'runners', '1')).sort()).toEqual(['facts.json', 'log', 'summary.json']);
  expectNothingLeft(network);
});

test.runIf(canMakeHosts())('a dropped handshake is tried again, and a jump host of the config is gone through', async () => {
  const network = await startHosts([
    { name: 'h1', handshake: 'dropped once' },
    { name: 'h2', behind: 'h1' },
  ]);
  const target = await startTarget(undefined, network.address);
  const place = workplace({ 'profiles/dev.yaml': withPassword(network, target.url, 2), 'script.js': fixedWork });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.stderr).toMatch(/runner 2 started on h2/);
  expect(said.code).toBe(0);
  expect(target.hits.get('GET /work')).toBe(120);
  expectNothingLeft(network);
});

test.runIf(canMakeHosts())('the environment is in no process list, neither here nor on the host', async () => {
  const network = await startHosts([{ name: 'h1' }]);
  const target = await startTarget(undefined, network.address);
  const profile = sshProfile(target.url, network, { count: 2, workload: `${oneMinute}, env: {SHOP_PASSWORD: hunter2hunter2}` });
  const place = workplace({ 'profiles/dev.yaml': profile, 'script.js': endlessScript });
  const run = place.start(['run', '--env', 'dev']);
  const seen: string[] = [];
  const look = setInterval(() => seen.push(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })), 20);
  await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);
  clearInterval(look);

  expect(network.hosts[0]?.k6()).toHaveLength(2);
  expect(seen.join('\n')).toMatch(/k6 run --config \S*loadctl-/);
  expect(seen.join('\n')).not.toContain('hunter2hunter2');
  run.process.kill('SIGINT');
  await run.said;
});

test.runIf(canMakeHosts())('Ctrl-C ends the load, tears down, brings the numbers back and leaves nothing on the hosts', async () => {
  const network = await startHosts([{ name: 'h1' }, { name: 'h2' }]);
  const target = await startTarget(undefined, network.address);
  const place = workplace({
    'profiles/dev.yaml': sshProfile(target.url, network, { count: 2, workload: oneMinute }),
    'script.js': endlessScript,
  });
  const run = place.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);

  const begun = Date.now();
  run.process.kill('SIGINT');
  const said = await run.said;

  expect(said.code).toBe(105);
  expect(Date.now() - begun).toBeLessThan(7000);
  expect(target.hits.get('GET /torn-down')).toBe(1);
  expect(summaryOf(place).runners).toBe(2);
  expectNothingLeft(network);
});

test.runIf(canMakeHosts()).each(['SIGKILL', 'SIGSTOP'] as const)(
  'a conductor that gets %s: within 5 s no k6 is left, nor anything else',
  async (signal) => {
    const network = await startHosts([{ name: 'h1' }, { name: 'h2' }]);
    const target = await startTarget(undefined, network.address);
    const place = workplace({
      'profiles/dev.yaml': sshProfile(target.url, network, { count: 4, workload: oneMinute }),
      'script.js': endlessScript,
    });
    const run = place.start(['run', '--env', 'dev'], { TMPDIR: place.folder });
    await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);

    const begun = Date.now();
    run.process.kill(signal);
    await expect.poll(() => network.hosts.flatMap(({ k6 }) => k6()), { timeout: 10_000, interval: 50 }).toEqual([]);
    const tookMs = Date.now() - begun;
    run.process.kill('SIGKILL');

    expect(tookMs).toBeLessThan(5000);
    await run.said;
    await expect.poll(() => network.hosts.flatMap(({ left }) => left()), { timeout: 5000 }).toEqual([]);
  },
);

test.runIf(canMakeHosts())(
  'a host that is cut off: noticed within 5 s, its k6 gone within 5 s, the other one ended, the result invalid',
  async () => {
    const network = await startHosts([{ name: 'h1' }, { name: 'h2' }]);
    const [one, two] = network.hosts;
    const target = await startTarget(undefined, network.address);
    const place = workplace({
      'profiles/dev.yaml': sshProfile(target.url, network, { count: 4, workload: oneMinute }),
      'script.js': endlessScript,
    });
    const run = place.start(['run', '--env', 'dev']);
    await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);

    const begun = Date.now();
    two?.cutOff();
    const noticed = run.until(/was lost/).then(() => Date.now() - begun);
    const orphans = expect
      .poll(() => two?.k6(), { timeout: 10_000, interval: 50 })
      .toEqual([])
      .then(() => Date.now() - begun);
    const [noticedMs, orphansMs] = await Promise.all([noticed, orphans]);
    const said = await run.said;

    console.log(`host cut off: noticed after ${noticedMs} ms, its k6 gone after ${orphansMs} ms`);
    expect(noticedMs).toBeLessThan(5000);
    expect(orphansMs).toBeLessThan(5000);
    expect(one?.k6()).toEqual([]);
    expect(said.code).toBe(111);
    expect(said.stdout + said.stderr).toMatch(/Runner [24] was lost \(its host cannot be reached any more\)/);
    expect(summaryOf(place).runners).toBe(2);
    await expect.poll(() => network.hosts.flatMap(({ left }) => left()), { timeout: 5000 }).toEqual([]);
  },
);

test.runIf(canMakeHosts())(
  'a slow host starts nearly together with a quick one, by the first requests as the target sees them',
  async () => {
    const network = await startHosts([{ name: 'quick' }, { name: 'slow', delayMs: 20, k6: 'says that it is 2.0.0' }]);
    const first = new Map<string, number>();
    const target = await startTarget((request) => {
      const from = request.socket.remoteAddress ?? '';
      if (request.url === '/work' && !first.has(from)) first.set(from, performance.now());
      return false;
    }, network.address);
    const place = workplace({
      'profiles/dev.yaml': sshProfile(target.url, network, { count: 2, workload: 'vus: 4, duration: 2s' }),
      'script.js': endlessScript,
    });

    const said = await place.loadctl(['run', '--env', 'dev']);

    expect(said.code).toBe(0);
    expect(said.stderr).toMatch(/k6 is not the same everywhere: .* on this machine, quick; 2\.0\.0 on slow\./);
    const seconds = linesOf<{ runnersReporting: number }>(place, 'timeseries.ndjson');
    expect(seconds.map(({ runnersReporting }) => runnersReporting)).toContain(2);
    const used = linesOf<GeneratorSample>(place, 'generators.ndjson');
    expect(new Set(used.map(({ runner, host }) => `${runner} on ${host}`))).toEqual(new Set(['1 on quick', '2 on slow']));
    for (const { cpus: has, processMemory, machineCpu, overMs } of used.filter((sample) => sample.overMs > 500)) {
      expect([has, machineCpu > 0 && machineCpu <= 1, processMemory > 1e6, overMs > 0]).toEqual([cpus().length, true, true, true]);
    }
    expect(used.some(({ processCpu }) => processCpu > 0)).toBe(true);
    expect([...first.keys()].sort()).toEqual(network.hosts.map(({ address }) => address).sort());
    console.log(`start skew with 20 ms of delay each way: ${Math.round(Math.max(...first.values()) - Math.min(...first.values()))} ms`);
    expectNothingLeft(network);
  },
);

test.runIf(canMakeHosts())('a host that its runners take all of makes the result invalid', async () => {
  const network = await startHosts([{ name: 'h1' }]);
  const target = await startTarget(undefined, network.address);
  const busy = 'export default () => { for (const until = Date.now() + 200; Date.now() < until; ); };';
  const place = workplace({
    'profiles/dev.yaml': sshProfile(target.url, network, { count: 2, workload: `vus: ${2 * cpus().length}, duration: 6s` }),
    'script.js': busy,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.code).toBe(111);
  const { reasons } = JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8')) as { reasons: string[] };
  expect(reasons.join('\n')).toMatch(/The machine of runners 1 and 2 was above 90% CPU for \d+ s of \d+ s, k6 itself using \d+%/);
});
