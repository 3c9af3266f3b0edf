import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { has, startNodeExporter, startPrometheus } from '../servers/observed.js';
import { hasPgBouncer, startPgBouncer } from '../servers/pgbouncer.js';
import { startPostgres } from '../servers/postgres.js';
import { rowOf, watchedPlace } from '../support/watched-run.js';

describe.skipIf(!has('prometheus-node-exporter'))('node_exporter', () => {
  test('says what /proc/stat says', async () => {
    const url = await startNodeExporter();
    const at = await watchedPlace(
      `monitors:
  far: {kind: host, nodeExporter: ["${url}"]}
  near: {kind: host, here: true}
critical: {far.cpu: <= 100%, near.cpu: <= 100%, far.memory: <= 100%, near.memory: <= 100%}`,
      '12s',
    );
    const said = await at.loadctl(['run', '--env', 'dev'], at.env);
    expect([0, 111], said.stdout + said.stderr).toContain(said.code);
    const verdict = at.judged();
    for (const value of ['cpu', 'memory']) {
      const [far, near] = [rowOf(verdict, `far.${value}`).actual, rowOf(verdict, `near.${value}`).actual];
      expect(Math.abs((far ?? 0) - (near ?? 1)), value).toBeLessThan(0.06);
    }
  });
});

/** A page of metrics as a service has them. */
async function metricsPage(read: () => string): Promise<string> {
  const server = createServer((_, response) => response.end(read()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.skipIf(!has('prometheus'))('Prometheus', () => {
  test('tells series as sources, by their samples’ own time; an error in PromQL is told with its fix', async () => {
    const page = await metricsPage(() => 'app_queue_depth{queue="a"} 40\napp_queue_depth{queue="b"} 1700\n');
    const url = await startPrometheus([page]);
    const asked = async () => {
      const answer = await fetch(`${url}/api/v1/query?query=app_queue_depth`);
      return ((await answer.json()) as { data: { result: unknown[] } }).data.result.length;
    };
    await expect.poll(asked, { timeout: 20_000 }).toBe(2);
    const at = await watchedPlace(
      `monitors: {depth: {kind: prometheus, url: "${url}", query: app_queue_depth, as: queueDepth, every: 1s, timeout: 1s}}
critical: {queueDepth: < 1000}`,
    );
    const said = await at.loadctl(['run', '--env', 'dev'], at.env);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    const row = rowOf(at.judged(), 'queueDepth');
    expect(row).toMatchObject({ outcome: 'fail', actual: 1700 });
    expect(row.monitored?.source).toContain('queue="b"');
    const moments = at.lines().map(({ source, t }) => `${source} ${t}`);
    expect(new Set(moments).size).toBe(moments.length);

    at.file('profiles/dev.yaml', at.read('profiles/dev.yaml').replace('query: app_queue_depth', 'query: "sum(app_queue_depth"'));
    const broken = await at.loadctl(['run', '--env', 'dev'], at.env);
    expect(broken).toMatchObject({ code: 115 });
    expect(broken.stderr).toMatch(/does not take the query: .*parse error/);
  });

  test('what is not scraped any more has no data', async () => {
    const page = { text: 'app_queue_depth 40\n' };
    const url = await startPrometheus([await metricsPage(() => page.text)]);
    const known = async () => (await (await fetch(`${url}/api/v1/query?query=app_queue_depth`)).text()).includes('"40"');
    await expect.poll(known, { timeout: 20_000 }).toBe(true);
    const at = await watchedPlace(
      `monitors: {depth: {kind: prometheus, url: "${url}", query: sum(app_queue_depth), freshBy: app_queue_depth, as: queueDepth, every: 1s, timeout: 1s}}
critical: {queueDepth: < 1000}`,
      '14s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    page.text = '';
    const said = await running.said;
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(at.judged().criteria).toMatchObject([{ outcome: 'no-data' }]);
  });
});

describe.skipIf(!hasPgBouncer())('PgBouncer', () => {
  test('tells of clients that wait for a connection', async () => {
    const db = await startPostgres({});
    onTestFinished(() => db.stop());
    const url = await startPgBouncer(db.url, { mode: 'transaction', size: 2 });
    const admin = new URL(url);
    admin.pathname = '/pgbouncer';
    const at = await watchedPlace(
      `monitors: {pool: {kind: pgbouncer, url: "${admin}"}}\ncritical: {pool.waiting: < 1, pool.maxWait: < 1s}`,
      '10s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    const clients = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        onTestFinished(() => client.end());
        return client;
      }),
    );
    await Promise.all(clients.map((client) => client.query('SELECT pg_sleep(3)')));
    const said = await running.said;
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    expect(rowOf(at.judged(), 'pool.waiting')).toMatchObject({ outcome: 'fail', actual: 3 });
    expect(rowOf(at.judged(), 'pool.maxWait').actual).toBeGreaterThan(2000);
  });
});

const first = '/sys/fs/cgroup/cpu';
const canMakeGroups = process.getuid?.() === 0 && existsSync(`${first}/cgroup.procs`) && existsSync('/sys/fs/cgroup/cpuacct/cgroup.procs');

describe.skipIf(!canMakeGroups)('a control group', () => {
  test('in which a CPU burns fails cpu, as its own accounting says', async () => {
    const name = `/loadctl-test-${process.pid}`;
    const folders = ['cpu', 'cpuacct', 'memory'].map((controller) => `/sys/fs/cgroup/${controller}${name}`);
    for (const folder of folders) mkdirSync(folder);
    writeFileSync(`${first}${name}/cpu.cfs_quota_us`, '10000');
    const burner = spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
    const gone = new Promise((resolve) => burner.once('exit', resolve));
    onTestFinished(async () => {
      burner.kill('SIGKILL');
      await gone;
      for (const folder of folders) rmdirSync(folder);
    });
    for (const folder of folders) writeFileSync(`${folder}/cgroup.procs`, String(burner.pid));
    const used = () => Number(readFileSync(`/sys/fs/cgroup/cpuacct${name}/cpuacct.usage`, 'utf8')) / 1e9;
    const at = await watchedPlace(
      `monitors: {app: {kind: host, cgroup: ${name}}}\ncritical: {cpu: < 80%, app.throttled: < 50%, memory: < 85%}`,
      '10s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    const released = await at.event(({ type }) => type === 'fleet-released');
    const before = used();
    const ended = await at.event(({ type }) => type === 'load-ended');
    const after = used();
    const said = await running.said;
    expect([99, 111], said.stdout + said.stderr).toContain(said.code);
    const verdict = at.judged();
    // It may use a tenth of a CPU, which it gets on a busy machine, too.
    const share = (after - before) / ((ended.t - released.t) / 1000) / 0.1;
    expect(rowOf(verdict, 'cpu')).toMatchObject({ outcome: 'fail', monitored: { source: name } });
    expect(Math.abs((rowOf(verdict, 'cpu').actual ?? 0) - share)).toBeLessThan(0.15);
    expect(rowOf(verdict, 'app.throttled').outcome).toBe('fail');
    expect(rowOf(verdict, 'memory').outcome).toBe('pass');
  });
});

test('the processes that listen at the target are watched apart from the machine', async () => {
  const at = await watchedPlace(`monitors: {app: {kind: host, here: [target]}}\ncritical: {cpu: <= 100%, memory: < 85%}`, '8s');
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  expect([0, 111], said.stdout + said.stderr).toContain(said.code);
  const row = rowOf(at.judged(), 'cpu');
  // It is this very process of the test.
  expect(row.monitored?.source).toMatch(/^target at 127\.0\.0\.1:\d+$/);
  expect(row.actual).toBeGreaterThan(0);
  expect(row.actual).toBeLessThan(1.5 / cpus().length);
});
