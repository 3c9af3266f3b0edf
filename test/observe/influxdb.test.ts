import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Summary } from '../../src/metrics/summary.js';
import { hasInflux, type Influx, startInflux } from '../servers/influxdb.js';
import { fleetPlace, type KeptEvent, loadOf } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

/** Names that are anything but names. */
const evil = 'GET "quoted", a=b <&|> @channel \\';

const script = `export default () => {
  const answer = http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } });
  group('shop', () => check(answer, { 'is there': ({ status }) => status === 200, 'a lucky, "odd"=one': () => exec.scenario.iterationInTest % 3 > 0 }));
  http.get(__ENV.BASE_URL + '/odd?' + Math.random(), { tags: { name: ${JSON.stringify(evil)} } });
  if (exec.scenario.iterationInTest % 5 === 0) http.get(__ENV.BASE_URL + '/steady', { tags: { name: 'GET /steady' } });
  sleep(0.03);
};
`;

/** What log-normal delays with a tail look like to a client. */
function delayed(): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return 100 * Math.exp(0.25 * normal) * (Math.random() < 0.005 ? 5 : 1);
}

/** Near the low end of a bucket, from 52.6 ms to 57.3. */
const steadyMs = 53;

interface Placed extends ReturnType<typeof fleetPlace> {
  readonly influx: Influx;
  readonly count: (query: string) => Promise<number>;
}

async function place(words: string, load: string): Promise<Placed> {
  const influx = await startInflux();
  const target = await startTarget((request, response) => {
    const answer = () => {
      response.statusCode = request.url?.startsWith('/odd') === true && Math.random() < 0.1 ? 500 : 200;
      response.end('{}');
    };
    setTimeout(answer, request.url === '/steady' ? steadyMs : delayed());
    return true;
  });
  const profile = `sla: {p95: < 10s, "http_req_duration{name:GET /steady}": p(95)<10000}\noutputs: {influx: {kind: influxdb, url: "${influx.url}"${words}}}`;
  const at = fleetPlace(target, { workload: load, runners: 'count: 2', script, profile });
  const count = async (query: string) => Number((await influx.ask(query))[0]?.value ?? Number.NaN);
  return { ...at, influx, count };
}

const summaryOf = (at: Placed) => at.summary() as unknown as Summary;
const metric = (at: Placed, name: string, stat: string) => summaryOf(at).metrics[name]?.values[stat] ?? Number.NaN;
const told = (at: Placed, code: string) => at.events().filter((event: KeptEvent) => event.code === code);

describe.skipIf(!hasInflux())('InfluxDB 1.6', () => {
  test('both families tell what the summary does, whatever names hold; W = 1', async () => {
    const at = await place(', families: [loadctl, k6], weight: 1, maxPoints: 100000', 'vus: 100, duration: 40s');
    const said = await at.loadctl(['run', '--env', 'dev'], at.env);
    // A busy machine may make the result invalid: what is written is the summary's all the same.
    expect([0, 111], said.stderr).toContain(said.code);
    expect([...told(at, 'output-refused'), ...told(at, 'output-incomplete')]).toEqual([]);
    const requests = metric(at, 'http_reqs', 'count');

    const own = await at.influx.ask(
      'SELECT sum(requests) AS requests, sum(failed) AS failed, sum(iterations) AS iterations FROM loadctl_second',
    );
    expect(own).toMatchObject([
      { requests, failed: metric(at, 'http_req_failed', 'passes'), iterations: metric(at, 'iterations', 'count') },
    ]);
    const names = await at.influx.ask('SHOW TAG VALUES FROM loadctl_second_endpoint WITH KEY = "name"');
    expect(names.map(({ value }) => value).toSorted()).toEqual(['GET "quoted", a=b <&|> @channel', 'GET /steady', 'GET /work']);
    const { verdict } = at.verdict();
    expect(await at.influx.ask('SELECT verdict, passed FROM loadctl_verdict')).toMatchObject([{ verdict, passed: said.code === 0 }]);
    const texts = (await at.influx.ask('SELECT text, tags FROM events')).map(({ text }) => text);
    expect(texts).toEqual(['the load begins', 'the load is over']);
    const measured = at.events().find(({ type }) => type === 'measured') as unknown as { all: { latency: { p95: { value: number } } } };
    expect(await at.count('SELECT p95 AS value FROM loadctl_run')).toBe(measured.all.latency.p95.value);

    expect(await at.count('SELECT sum(value) AS value FROM http_reqs')).toBe(requests);
    expect(await at.count('SELECT sum(value) AS value FROM iterations')).toBe(metric(at, 'iterations', 'count'));
    expect(await at.count('SELECT sum(value) AS value FROM data_received')).toBe(metric(at, 'data_received', 'count'));
    expect(await at.count('SELECT count(value) AS value FROM http_req_duration')).toBe(requests);
    expect(await at.count('SELECT sum(value) AS value FROM http_req_failed')).toBe(metric(at, 'http_req_failed', 'passes'));
    expect(await at.count('SELECT mean(value) AS value FROM http_req_failed')).toBeCloseTo(metric(at, 'http_req_failed', 'rate'), 12);
    expect(await at.count('SELECT max(value) AS value FROM vus')).toBe(100);
    expect(await at.count('SELECT checks_weight AS value FROM loadctl_info')).toBe(1);
    expect(await at.count('SELECT sum(value) AS value FROM checks')).toBe(metric(at, 'checks', 'passes'));
    expect(await at.count('SELECT mean(value) AS value FROM checks')).toBeCloseTo(metric(at, 'checks', 'rate'), 12);
    const [passed] = await at.influx.ask(
      `SELECT sum(value) AS passed, count(value) AS n FROM checks WHERE "group" = '::shop' GROUP BY "check"`,
    );
    expect([passed?.passed === passed?.n, passed?.n]).toEqual([false, metric(at, 'iterations', 'count')]);
    const durations = (query: string, where = '') => at.count(`SELECT ${query} AS value FROM http_req_duration ${where}`);
    const off = async (query: string, stat: string) => Math.abs((await durations(query)) / metric(at, 'http_req_duration', stat) - 1);
    expect(await off('mean(value)', 'avg')).toBeLessThan(1e-6);
    // The sample at a given rank is off from where n samples' density has it with a deviation of 8.7% / 2 / √n at most, n being those of its
    // bucket; of log-normal delays (sigma 0.25) that of p95 holds 3.5%. 6.5 deviations are less than 1% from 23,000 requests on, and
    // more than that once in 10¹⁰ runs.
    const percentilesOff = Math.max(0.01, (6.5 * 0.087) / 2 / Math.sqrt(0.035 * requests));
    expect(await off('percentile(value, 50)', 'med')).toBeLessThan(percentilesOff);
    expect(await off('percentile(value, 90)', 'p(90)')).toBeLessThan(percentilesOff);
    expect(await off('percentile(value, 95)', 'p(95)')).toBeLessThan(percentilesOff);
    // What is always equally slow lies all in one bucket: no more than half of it off.
    const steady = async (query: string, stat: string) => {
      const [value, truth] = [
        await durations(query, `WHERE "name" = 'GET /steady'`),
        metric(at, 'http_req_duration{name:GET /steady}', stat),
      ];
      return Math.abs(Math.log2(value / truth) * 8);
    };
    expect(await steady('mean(value)', 'avg')).toBeLessThan(1e-5);
    expect(await steady('percentile(value, 50)', 'med')).toBeLessThan(0.5);
    expect(await steady('percentile(value, 90)', 'p(90)')).toBeLessThan(0.5);
    // Alone in its bucket, a sample may be anywhere in it.
    expect(Math.abs(Math.log2((await durations('max(value)')) / metric(at, 'http_req_duration', 'max')) * 8)).toBeLessThan(1.01);
    const byName = await at.influx.ask('SELECT count(value) AS n FROM http_req_duration GROUP BY "name"');
    expect(byName.reduce((sum, { n }) => sum + Number(n), 0)).toBe(requests);
  });

  test('W = 20: sums are exact, mean and percentiles within what the documentation says', async () => {
    const at = await place(', families: [k6], weight: 20', 'vus: 40, duration: 15s');
    const said = await at.loadctl(['run', '--env', 'dev'], at.env);
    expect(said, said.stderr).toMatchObject({ code: 0 });
    expect(await at.count('SELECT sum(value) AS value FROM http_reqs')).toBe(metric(at, 'http_reqs', 'count'));
    expect(await at.count('SELECT weight AS value FROM loadctl_info')).toBe(20);
    const points = await at.count('SELECT count(value) AS value FROM http_req_duration');
    expect(Math.abs((points * 20) / metric(at, 'http_reqs', 'count') - 1)).toBeLessThan(0.1);
    const mean = await at.count('SELECT mean(value) AS value FROM http_req_duration');
    expect(Math.abs(mean / metric(at, 'http_req_duration', 'avg') - 1)).toBeLessThan(0.2);
    const p50 = await at.count('SELECT median(value) AS value FROM http_req_duration');
    expect(Math.abs(p50 / metric(at, 'http_req_duration', 'med') - 1)).toBeLessThan(0.1);
  });

  test('killed for seconds while the load is on: it is told once, and back; nothing is lost', async () => {
    const at = await place(', families: [loadctl, k6], weight: 1', 'vus: 40, duration: 22s');
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(loadOf(4000));
    await at.influx.down();
    await at.event(({ code }) => code === 'output-behind');
    await at.event(loadOf(14_000));
    await at.influx.up();
    const said = await running.said;
    // A busy machine may make the result invalid: what is written is the summary's all the same.
    expect([0, 111], said.stderr).toContain(said.code);
    expect(told(at, 'output-back').length).toBe(told(at, 'output-behind').length);
    for (const back of told(at, 'output-back')) expect(back).toMatchObject({ output: 'influx', lost: 0 });
    expect(told(at, 'output-incomplete')).toEqual([]);
    const requests = metric(at, 'http_reqs', 'count');
    expect(await at.count('SELECT sum(requests) AS value FROM loadctl_second')).toBe(requests);
    expect(await at.count('SELECT sum(value) AS value FROM http_reqs')).toBe(requests);
    expect(await at.count('SELECT count(value) AS value FROM http_req_duration')).toBe(requests);
  });

  test('two runs at once are told apart, and what is sent twice is there once', async () => {
    const influx = await startInflux();
    const target = await startTarget();
    const profile = `outputs: {influx: {kind: influxdb, url: "${influx.url}", families: [loadctl, k6], weight: 1}}`;
    const places = [1, 2].map((vus) => fleetPlace(target, { workload: `vus: ${vus}, duration: 8s`, runners: 'count: 1', profile }));
    const running = places.map((at) => at.start(['run', '--env', 'dev'], at.env));
    await Promise.all(places.map((at) => at.event(loadOf(3000))));
    await influx.down();
    for (const each of running) expect([0, 111]).toContain((await each.said).code);
    await influx.up();
    for (const at of places) {
      const backlog = join(at.latestRun(), 'outputs', 'influx.backlog');
      copyFileSync(backlog, `${backlog}.again`);
      expect(await at.loadctl(['resend'], at.env)).toMatchObject({ code: 0 });
      copyFileSync(`${backlog}.again`, backlog);
      expect(await at.loadctl(['resend'], at.env)).toMatchObject({ code: 0, stdout: expect.stringContaining('sent') });
    }
    for (const at of places) {
      const of = `"testid" = '${at.latestRun().split('/').at(-1)}'`;
      const sum = async (field: string, from: string) =>
        (await influx.ask(`SELECT sum(${field}) AS value FROM ${from} WHERE ${of}`))[0]?.value;
      const { http_reqs: requests } = at.summary().metrics;
      expect([await sum('requests', 'loadctl_second'), await sum('value', 'http_reqs')]).toEqual([
        requests?.values.count,
        requests?.values.count,
      ]);
    }
  });
});
