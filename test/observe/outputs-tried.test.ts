import { expect, test } from 'vitest';
import { hasInflux, startInflux } from '../servers/influxdb.js';
import { hasPrometheus, startReceiver } from '../servers/prometheus-receiver.js';
import { hasVictoriaMetrics, startVictoriaMetrics } from '../servers/victoria-metrics.js';
import { fleetPlace, type KeptEvent } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

const prometheus = (url: string, push = 'api/v1/write') => `{kind: prometheus, url: "${url}/${push}", query: "${url}", every: 1s}`;

test.skipIf(!hasInflux() || !hasPrometheus() || !hasVictoriaMetrics())(
  'doctor --outputs reads back what it wrote, and finds out who drops histograms without a word',
  async () => {
    const [influx, native, plain] = await Promise.all([startInflux(), startReceiver(['native-histograms']), startReceiver([])]);
    const victoria = await startVictoriaMetrics();
    const at = fleetPlace(
      { url: 'http://127.0.0.1:9' },
      {
        profile: `outputs:
  influx: {kind: influxdb, url: "${influx.url}"}
  native: ${prometheus(native.url)}
  plain: ${prometheus(plain.url)}
  victoria: ${prometheus(victoria)}`,
      },
    );
    const said = await at.loadctl(['doctor', '--env', 'dev', '--outputs', '--json'], at.env);
    expect(said, said.stderr).toMatchObject({ code: 115 });
    const { outputs } = JSON.parse(said.stdout) as { outputs: { what: string; state: string; said: string }[] };
    expect(outputs).toMatchObject([
      { what: 'influx', state: 'good', said: 'influxdb: took a test, and has it' },
      { what: 'native', state: 'good', said: 'prometheus: took a test, and has it' },
      { what: 'plain', state: 'missing', said: expect.stringContaining('native histograms') },
      { what: 'victoria', state: 'missing', said: expect.stringContaining('drops them without a word') },
    ]);
    const one = await at.loadctl(['doctor', '--env', 'dev', '--outputs=native'], at.env);
    expect(one).toMatchObject({ code: 0, stdout: expect.stringContaining('native') });
    const none = await at.loadctl(['doctor', '--env', 'dev', '--outputs=naitve'], at.env);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('influx, native, plain, victoria') });
  },
);

test.skipIf(!hasVictoriaMetrics())('a run to VictoriaMetrics 1.79 says that its histograms are not there; all the rest is', async () => {
  const victoria = await startVictoriaMetrics();
  const target = await startTarget();
  const at = fleetPlace(target, {
    workload: 'vus: 2, duration: 6s',
    profile: `sla: {p95: < 5s}\noutputs: {victoria: ${prometheus(victoria)}}`,
  });
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  // A busy machine may make the result invalid: what is written is the same.
  expect([0, 111], said.stderr).toContain(said.code);
  const refused = at.events().filter(({ code }: KeptEvent) => code === 'output-refused');
  expect(refused).toMatchObject([{ output: 'victoria', why: expect.stringContaining('drops them without a word') }]);
  const asked = new URLSearchParams({ query: 'sum(last_over_time(k6_http_reqs_total[10m]))', nocache: '1' });
  const { data } = (await (await fetch(`${victoria}/api/v1/query?${asked}`)).json()) as { data: { result: { value: [number, string] }[] } };
  expect(Number(data.result[0]?.value[1])).toBe(at.summary().metrics.http_reqs?.values.count);
});
