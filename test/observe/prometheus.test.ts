import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { MonitorLine } from '../../src/core/monitors.js';
import { judgeServer } from '../../src/metrics/servers/judge-server.js';
import { linesBySource } from '../../src/metrics/servers/monitor.js';
import { lookOnce } from '../../src/monitors/sampler.js';
import type { PlannedMonitor } from '../../src/plan/monitors.js';
import { has, startChangingPrometheus, startPrometheus } from '../servers/observed.js';
import { probeOf } from '../support/probe.js';
import { rowOf, watchedPlace } from '../support/watched-run.js';

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
  test('tells series as sources, by their samples’ own time; what it has not heard of yet is no data', async () => {
    // It hands on samples of another service that it got late, each with its own time.
    const late = () => `late_queue_depth 40 ${Date.now() - 20_000}\n`;
    const page = await metricsPage(() => `app_queue_depth{queue="a"} 40\napp_queue_depth{queue="b"} 1700\n${late()}`);
    const url = await startPrometheus([page]);
    const asked = async () => {
      const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent('{__name__=~".*_queue_depth"}')}`);
      return ((await answer.json()) as { data: { result: unknown[] } }).data.result.length;
    };
    await expect.poll(asked, { timeout: 20_000 }).toBe(3);
    const at = await watchedPlace(
      `monitors:
  depth: {kind: prometheus, url: "${url}", query: app_queue_depth, every: 1s, timeout: 1s}
  late: {kind: prometheus, url: "${url}", query: late_queue_depth, every: 1s, timeout: 1s}
critical: {depth: < 1000, late: < 1000}`,
    );
    const said = await at.loadctl(['run', '--env', 'dev', '--json'], at.env);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(JSON.parse(said.stdout).exitCodes).toEqual(expect.arrayContaining([99, 111]));
    expect(rowOf(at.judged(), 'late').outcome).toBe('no-data');
    expect(at.judged().reasons.join()).toContain('monitor late gave no data: no sample');
    expect(at.lines().filter(({ monitor, values }) => monitor === 'late' && values?.value === 40).length).toBeGreaterThan(3);
    const row = rowOf(at.judged(), 'depth');
    expect(row).toMatchObject({ outcome: 'fail', actual: 1700 });
    expect(row.monitored?.source).toContain('queue="b"');
    const moments = at.lines().map(({ source, t }) => `${source} ${t}`);
    expect(new Set(moments).size).toBe(moments.length);
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

  test('a target that leaves is judged for as long as it was there, its successor from then on; one that dies is no data', async () => {
    const pages = { a: 'app_memory 0.5\n', b: 'app_memory 0.6\n', c: 'app_memory 0.7\n', d: 'app_memory 0.4\n' };
    const [a, b, c, d] = await Promise.all((['a', 'b', 'c', 'd'] as const).map((name) => metricsPage(() => pages[name])));
    if (!a || !b || !c || !d) throw new Error('four were started');
    const rolling = await startChangingPrometheus([a, b]);
    const dying = await startPrometheus([a, d]);
    const knows = async (url: string, text: string) => (await (await fetch(`${url}/api/v1/query?query=app_memory`)).text()).includes(text);
    await expect.poll(() => knows(rolling.url, '"0.6"'), { timeout: 60_000 }).toBe(true);
    await expect.poll(() => knows(dying, '"0.4"'), { timeout: 60_000 }).toBe(true);
    const [watched, failing] = [follow(rolling.url), follow(dying)];
    const begun = performance.now();
    const heard = async (lines: readonly MonitorLine[], source: string, count: number) => {
      const looked = async () => {
        await Promise.all([watched.look(), failing.look()]);
        return lines.filter((line) => line.source.includes(source) && line.values !== undefined).length;
      };
      await expect.poll(looked, { timeout: 60_000, interval: 500 }).toBeGreaterThanOrEqual(count);
    };
    await heard(watched.lines, b, 5);
    await heard(failing.lines, d, 3);
    // A scrape that fails is no pod that left.
    pages.d = 'this is no page of metrics {\n';
    rolling.scrape([a, c]);
    await heard(watched.lines, c, 12);
    const window = { from: begun, to: performance.now() };
    expect(watched.judged(window)).toMatchObject({ outcome: 'pass', measured: { value: 0.7 } });
    expect(watched.lines.filter(({ gone }) => gone === true)).toMatchObject([{ source: expect.stringContaining(b) }]);
    expect(failing.judged(window)).toMatchObject({ outcome: 'no-data', missing: expect.stringContaining(d) });
    expect(failing.lines.filter(({ gone }) => gone === true)).toEqual([]);
  });
});

/** Looks by a monitor as a run does, and judges what it told. */
function follow(url: string) {
  const words = { kind: 'prometheus', url, query: 'app_memory', as: 'memory', unit: 'ratio' } as const;
  const probe = probeOf({ name: 'app', ...words, every: 1000, timeout: 1000, required: true } as PlannedMonitor);
  const lines: MonitorLine[] = [];
  const monitor = { name: 'app', kind: 'prometheus', every: 1000, required: true, gives: ['value'], unit: '%' } as const;
  const limit = {
    name: 'app',
    source: 'server',
    metric: 'app.value',
    stat: 'max',
    operator: '<',
    limit: 0.85,
    unit: '%',
    window: 'steady',
  } as const;
  return {
    lines,
    look: async () => {
      const looks = await lookOnce(probe, { elapsed: () => performance.now() });
      lines.push(...looks.map(({ look, at }) => ({ t: at, monitor: 'app', ...look })));
    },
    judged: (window: { readonly from: number; readonly to: number }) =>
      judgeServer(limit, { monitors: [monitor], lines: linesBySource(lines), window, load: window, strict: false, endedEarly: false }),
  };
}
