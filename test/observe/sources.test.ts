import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startRedis, startRedisCluster } from '../servers/redis.js';
import { rowOf, watchedPlace } from '../support/watched-run.js';

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Fields of INFO, as redis-cli shows them. */
async function info(client: Redis): Promise<Record<string, string>> {
  const lines = (await client.info()).split('\r\n').filter((line) => line.includes(':'));
  return Object.fromEntries(lines.map((line) => line.split(':', 2)));
}

/** Keeps the one thread of a Redis at work, in pieces short enough for others to be answered between them. */
function keepBusy(url: string): { end(): Promise<void> } {
  const worker = new Redis(url);
  let isOver = false;
  const work = async () => {
    while (!isOver) await worker.eval('local n = 0 for i = 1, 2000000 do n = n + i end return n', 0);
    worker.disconnect();
  };
  const working = work();
  return {
    end: () => {
      isOver = true;
      return working;
    },
  };
}

describe('a Redis', () => {
  test('tells its memory, keys and the load of its one thread; a thread kept busy fails cpu, which idle is far below 1%', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const client = new Redis(redis.url);
    onTestFinished(() => client.disconnect());
    await client.config('SET', 'maxmemory', '200mb');
    await client.rpush('jobs', ...Array.from({ length: 1200 }, (_, index) => `job ${index}`));
    await client.zadd('later', ...Array.from({ length: 800 }, (_, index) => [index, `later ${index}`]).flat());
    const at = await watchedPlace(
      `stores: {cache: {kind: redis, url: "${redis.url}"}}
monitors:
  cache: {kind: redis, store: cache, every: 500ms, timeout: 500ms}
  jobs: {kind: queue, store: cache, list: jobs, zset: [later]}
critical: {cpu: < 3%, memory: < 90%, queueDepth: < 1000, cache.evictions: "< 1"}`,
      '12s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    const before = await info(client);
    const busy = keepBusy(redis.url);
    const said = await running.said;
    const after = await info(client);
    await busy.end();

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    const verdict = at.judged();
    expect(rowOf(verdict, 'queueDepth')).toMatchObject({ outcome: 'fail', actual: 2000, monitored: { monitor: 'jobs' } });
    const used = (of: Record<string, string>) => Number(of.used_cpu_user_main_thread) + Number(of.used_cpu_sys_main_thread);
    const seconds = (Number(after.server_time_usec) - Number(before.server_time_usec)) / 1e6;
    const share = (used(after) - used(before)) / seconds;
    expect(rowOf(verdict, 'cpu')).toMatchObject({ outcome: 'fail', monitored: { monitor: 'cache', stat: 'avg' } });
    expect(Math.abs((rowOf(verdict, 'cpu').actual ?? 0) - share)).toBeLessThan(0.15);
    expect(rowOf(verdict, 'memory').actual).toBeLessThan(Number(after.used_memory_peak) / 209_715_200 + 0.01);
    expect(rowOf(verdict, 'cache.evictions')).toMatchObject({ outcome: 'pass', actual: 0 });
  });

  test('cluster: each primary is a source; one that dies in a failover is followed by its successor', async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const [first, ...others] = cluster.primaries;
    const at = await watchedPlace(
      `stores: {cache: {kind: redis, cluster: [${cluster.primaries.map(({ address }) => `"${address}"`).join(', ')}]}}
monitors: {cache: {kind: redis, store: cache, every: 500ms, timeout: 500ms}}
critical: {cache.clients: < 90%}`,
      '25s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    first?.signal('SIGKILL');
    const said = await running.said;
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
    const told = at.lines().filter(({ values }) => values !== undefined);
    const successor = cluster.replicas[0]?.address;
    expect(new Set(told.map(({ source }) => source))).toEqual(new Set([first, ...others].map((node) => node?.address).concat(successor)));
    expect(at.lines().filter(({ gone }) => gone === true)).toMatchObject([{ source: first?.address }]);
    for (const { address } of others) expect(told.filter(({ source }) => source === address).length).toBeGreaterThan(40);
  });
});

describe('a host', () => {
  test('is what /proc/stat says', async () => {
    const at = await watchedPlace(
      `monitors: {app: {kind: host, here: true, every: 500ms, timeout: 500ms}}
critical: {cpu: <= 100%, memory: <= 100%}`,
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    const before = procStat();
    await at.event(({ type }) => type === 'load-ended');
    const after = procStat();
    const said = await running.said;
    expect([0, 99, 111], said.stdout + said.stderr).toContain(said.code);
    const share = (after.busy - before.busy) / (after.all - before.all);
    expect(Math.abs((rowOf(at.judged(), 'cpu').actual ?? 0) - share)).toBeLessThan(0.1);
  });
});

function procStat() {
  const [, ...times] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/);
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = times.map(Number);
  return { busy: user + nice + system + irq + softirq, all: user + nice + system + idle + iowait + irq + softirq + steal };
}

/** A queue's depth by HTTP that does what it is told to. */
async function depthServer(): Promise<{ readonly url: string; depth: number; mode: 'well' | 'hang' | 'garbage' }> {
  const state = { url: '', depth: 5, mode: 'well' as 'well' | 'hang' | 'garbage' };
  const server = createServer((_, response) => {
    if (state.mode === 'hang') return;
    response.setHeader('content-type', state.mode === 'well' ? 'application/json' : 'text/html');
    response.end(state.mode === 'well' ? JSON.stringify({ messages_ready: state.depth }) : '<html>Down for maintenance</html>');
  });
  state.url = `http://127.0.0.1:${await listening(server)}/queue`;
  return state;
}

const jobs = (url: string, more = '') =>
  `monitors: {jobs: {kind: queue, url: "${url}", jsonPath: $.messages_ready, every: 500ms, timeout: 400ms${more}}}`;

describe('a source', () => {
  test.each(['hang', 'garbage'] as const)(
    'that begins to %s: the load goes on, the result is invalid, and one warning says so',
    async (mode) => {
      const source = await depthServer();
      const at = await watchedPlace(`${jobs(source.url)}\ncritical: {queueDepth: < 1000}`, '10s');
      const running = at.start(['run', '--env', 'dev'], at.env);
      await at.event(({ type }) => type === 'fleet-released');
      source.mode = mode;
      const said = await running.said;

      expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
      expect(at.judged()).toMatchObject({ verdict: 'invalid', criteria: [{ outcome: 'no-data' }] });
      expect(at.judged().reasons.join()).toContain('monitor jobs gave no data');
      const warned = at.told('warned').filter(({ code }) => code === 'monitor-silent');
      expect(warned).toMatchObject([{ monitor: 'jobs', required: true }]);
      expect(at.summary().durationMs).toBeGreaterThan(9500);
    },
  );

  test('that is not required is not measured', async () => {
    const source = await depthServer();
    const at = await watchedPlace(`${jobs(source.url, ', required: false')}\ncritical: {queueDepth: < 1000}`);
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    source.mode = 'garbage';
    const said = await running.said;
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
    expect(at.judged().criteria).toMatchObject([{ outcome: 'not-measured' }]);
  });

  test('that never answers refuses the run at its start, with the fix', async () => {
    const source = await depthServer();
    source.mode = 'garbage';
    const at = await watchedPlace(`${jobs(source.url)}\ncritical: {queueDepth: < 1000}`);
    const said = await at.loadctl(['run', '--env', 'dev'], at.env);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 115 });
    expect(said.stderr).toContain('The monitor jobs cannot look at');
    expect(said.stderr).toContain('HTML, not JSON');
    const looked = await at.loadctl(['doctor', '--env', 'dev', '--monitors'], at.env);
    expect(looked.code).toBe(115);
    expect(looked.stdout).toContain('HTML, not JSON');
  });
});

test('an abort rule about a queue ends the load and says where', async () => {
  const source = await depthServer();
  const at = await watchedPlace(`${jobs(source.url)}\nabort: [{when: queueDepth > 1000, for: 3s}]`, '60s');
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  source.depth = 2000;
  const said = await running.said;
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(at.judged().reasons[0]).toMatch(/The abort rule queueDepth > 1,000 held for 3s: it was 2,000 \(jobs, 127\.0\.0\.1:\d+\)/);
  expect(at.summary().durationMs).toBeLessThan(20_000);
});

test('a breach is told once, within 15 s, with its end', async () => {
  const source = await depthServer();
  const at = await watchedPlace(`${jobs(source.url)}\ncritical: {queueDepth: < 1000}`, '45s');
  const running = at.start(['run', '--env', 'dev'], at.env);
  const released = await at.event(({ type }) => type === 'fleet-released');
  source.depth = 2000;
  const breached = await at.event(({ type }) => type === 'limit-breached');
  source.depth = 5;
  const recovered = await at.event(({ type }) => type === 'limit-recovered');
  const said = await running.said;
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(breached.t - released.t).toBeLessThan(15_000);
  expect(recovered.t - breached.t).toBeLessThan(15_000);
  expect([at.told('limit-breached').length, at.told('limit-recovered').length]).toEqual([1, 1]);
  expect(said.stderr).toMatch(/queueDepth < 1,000 is broken: 2,000, jobs/);
});

test('a queue that drains in its time passes, and the run watches for it', async () => {
  const source = await depthServer();
  const at = await watchedPlace(`${jobs(source.url)}\ncritical: {jobs.drain: < 10s}`, '5s');
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  source.depth = 400;
  const ended = await at.event(({ type }) => type === 'load-ended');
  await expect
    .poll(() => at.lines().filter(({ t, values }) => t > ended.t && values?.depth === 400).length, { timeout: 10_000 })
    .toBeGreaterThan(3);
  source.depth = 2;
  const said = await running.said;
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  const { actual, monitored } = rowOf(at.judged(), 'jobs.drain');
  expect(monitored).toMatchObject({ stat: 'time to drain' });
  expect(actual).toBeGreaterThan(1000);
  expect(actual).toBeLessThan(10_000);
});

test('secrets of monitors are in no file and no message', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ messages_ready: 1 }));
  });
  const url = `http://ann:s3cr3t-in-url@127.0.0.1:${await listening(server)}/queue`;
  const at = await watchedPlace(
    `monitors:
  token: {kind: queue, url: "${url.replace('ann:s3cr3t-in-url@', '')}", jsonPath: $.messages_ready, token: "\${QUEUE_TOKEN}"}
  login: {kind: queue, url: "${url}", jsonPath: $.messages_ready}
critical: {queueDepth: < 1000}`,
    '5s',
  );
  const said = await at.loadctl(['run', '--env', 'dev'], { ...at.env, QUEUE_TOKEN: 's3cr3t-token' });
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  expect(new Set(seen)).toEqual(new Set(['Bearer s3cr3t-token', `Basic ${btoa('ann:s3cr3t-in-url')}`]));
  expect(spawnSync('grep', ['-rl', 's3cr3t', `${at.folder}/.loadctl`], { encoding: 'utf8' })).toMatchObject({ status: 1, stdout: '' });
  expect(said.stdout + said.stderr).not.toContain('s3cr3t');
});
