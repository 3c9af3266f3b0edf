import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { has, startPrometheus } from '../servers/observed.js';
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

  test('whose samples lag behind has no data for what it has not heard of yet', async () => {
    // It hands on samples that it got late, each with its own time.
    const page = await metricsPage(() => `app_queue_depth 40 ${Date.now() - 20_000}\n`);
    const url = await startPrometheus([page]);
    const known = async () => (await (await fetch(`${url}/api/v1/query?query=app_queue_depth`)).text()).includes('"40"');
    await expect.poll(known, { timeout: 20_000 }).toBe(true);
    const at = await watchedPlace(
      `monitors: {depth: {kind: prometheus, url: "${url}", query: app_queue_depth, as: queueDepth, every: 1s, timeout: 1s}}
critical: {queueDepth: < 1000}`,
    );
    const said = await at.loadctl(['run', '--env', 'dev'], at.env);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(at.judged().reasons.join()).toContain('monitor depth gave no data: no sample');
    expect(at.lines().filter(({ values }) => values?.value === 40).length).toBeGreaterThan(3);
  });
});
