import { describe, expect, test } from 'vitest';
import { hasInflux, type Influx, startInflux } from '../servers/influxdb.js';
import { influx2, startInflux2 } from '../servers/influxdb-2.js';
import { startLaterInflux } from '../servers/influxdb-later.js';
import { fleetPlace, type KeptEvent } from '../support/fleet-place.js';
import { searchFolder, secretSearch } from '../support/secret-search.js';
import { startTarget } from '../support/target.js';

/*
 * No InfluxDB 2 or 3: servers that answer as theirs are documented to, before an InfluxDB 1.6 that reads and keeps what they are sent.
 * The last test is for who has an InfluxDB 2.
 */

const names = [
  'GET /work',
  'a b,c=d "e" \\ <&|> @channel',
  'two\nlines',
  'two lines',
  `${'é'.repeat(3000)}1`,
  `${'é'.repeat(3000)}2`,
  'm'.repeat(100_000),
];

const script = `const names = ${JSON.stringify(names.slice(0, -1))}.concat('m'.repeat(100000));
export default () => {
  for (const name of names) http.get(__ENV.BASE_URL + '/work', { tags: { name } });
  http.get(__ENV.BASE_URL + '/work?key=' + __ENV.KEY);
  sleep(0.2);
};
`;

const tokens = { two: 'token-of-two-Qx7TnbV2wR9s', three: 'token-of-three-Lk4JhGf6DpZ8', key: 'key-of-script-Vb6Nm3Qw8Er' };

describe.skipIf(!hasInflux())('the write APIs of InfluxDB 2 and 3', () => {
  test('take a run of hostile names, which can be read back: sums are the summary’s, and no token is anywhere', async () => {
    const [two, three] = await Promise.all([startInflux(), startInflux()]);
    const at2 = await startLaterInflux({ version: 2, token: tokens.two, org: 'my org', bucket: 'load/tests' }, two);
    const at3 = await startLaterInflux({ version: 3, token: tokens.three, database: 'load tests' }, three);
    const at = fleetPlace(await startTarget(), {
      workload: `vus: 2, duration: 10s, env: {KEY: "\${KEY}"}`,
      runners: 'count: 2',
      script,
      profile: `sla: {p95: < 10s}
outputs:
  two: {kind: influxdb, url: "${at2}", org: my org, bucket: load/tests, token: "\${TWO}", families: [loadctl, k6], weight: 1}
  three: {kind: influxdb, url: "${at3}", database: load tests, token: "\${THREE}", families: [loadctl, k6], weight: 1}
  stranger: {kind: influxdb, url: "${at3}", database: load tests, token: wrong}
  lost: {kind: influxdb, url: "${at2}", org: my org, bucket: none, token: "\${TWO}"}`,
    });
    const env = { ...at.env, TWO: tokens.two, THREE: tokens.three, KEY: tokens.key };
    const said = await at.loadctl(['run', '--env', 'dev'], env);
    // A busy machine may make the result invalid: what is written is the same.
    expect([0, 111], said.stderr).toContain(said.code);
    const refused = at.events().filter(({ code }: KeptEvent) => code === 'output-refused') as (KeptEvent & {
      output: string;
      why: string;
    })[];
    expect(refused.map(({ output, why }) => [output, why]).toSorted()).toEqual([
      ['lost', 'it answered 404 ({"code":"not found","message":"bucket \\"none\\" not found"})'],
      ['stranger', 'it answered 401 ({"error":"unauthorized access"})'],
    ]);
    const { http_reqs: requests, http_req_failed: failed } = at.summary().metrics;
    for (const influx of [two, three]) await expectRun(influx, requests?.values.count, failed?.values.passes);
    const search = secretSearch(Object.entries(tokens).map(([name, text]) => ({ name, text })));
    expect([...search(said.stdout + said.stderr), ...searchFolder(at.latestRun(), search)]).toEqual([]);
    for (const influx of [two, three]) expect(search(JSON.stringify(await influx.ask('SHOW SERIES')))).toEqual([]);
  });
});

test.skipIf(influx2 === undefined)('a real InfluxDB 2 (LOADCTL_INFLUXD2) has the run, too', async () => {
  const influx = await startInflux2(influx2 ?? '', { token: tokens.two, org: 'my org', bucket: 'k6' });
  const at = fleetPlace(await startTarget(), {
    workload: 'vus: 2, duration: 10s',
    runners: 'count: 2',
    script,
    profile: `sla: {p95: < 10s}
outputs:
  two: {kind: influxdb, url: "${influx.url}", org: my org, bucket: k6, token: ${tokens.two}, families: [loadctl, k6], weight: 1}`,
  });
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  expect([0, 111], said.stderr).toContain(said.code);
  expect(at.events().filter(({ code }: KeptEvent) => code === 'output-refused')).toEqual([]);
  const { http_reqs: requests, http_req_failed: failed } = at.summary().metrics;
  await expectRun(influx, requests?.values.count, failed?.values.passes);
});

async function expectRun(influx: Pick<Influx, 'ask'>, requests: number | undefined, failed: number | undefined): Promise<void> {
  const value = async (query: string) => (await influx.ask(query))[0]?.value;
  expect(await value('SELECT sum(requests) AS value FROM loadctl_second')).toBe(requests);
  expect(await value('SELECT sum(requests) AS value FROM loadctl_second_endpoint')).toBe(requests);
  expect(await value('SELECT sum(value) AS value FROM http_reqs')).toBe(requests);
  expect(await value('SELECT count(value) AS value FROM http_req_duration')).toBe(requests);
  expect(await value('SELECT sum(value) AS value FROM http_req_failed')).toBe(failed);
  const kept = await influx.ask('SHOW TAG VALUES FROM http_reqs WITH KEY = "name"');
  // Two that differ in a line's end are one there; each other name stands for itself.
  expect(kept).toHaveLength(names.length);
}
