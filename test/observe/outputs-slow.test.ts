import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fleetPlace, type KeptEvent, loadOf } from '../support/fleet-place.js';
import { type Sink, startSink } from '../support/sink.js';
import { startTarget } from '../support/target.js';

type Told = KeptEvent & { readonly output?: string; readonly lost?: number; readonly kept?: number; readonly why?: string };

/** What a sink was sent of each second: a point that came twice is one. In the order in which they came. */
function secondsIn(...sinks: Sink[]): Map<string, number> {
  const bodies = sinks.flatMap(({ taken }) => taken.filter(({ path }) => path.startsWith('/write')).map(({ bytes }) => gunzipSync(bytes)));
  const lines = bodies.flatMap((body) => body.toString('utf8').split('\n')).filter((line) => line.startsWith('loadctl_second,'));
  return new Map(lines.map((line) => [line.slice(line.lastIndexOf(' ') + 1), Number(/[ ,]requests=(\d+)/.exec(line)?.[1])]));
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((all, one) => all + one, 0);

test('a sink killed for 20 s, one that says 400, one of a byte a second, one of 429: the run is what it is, and nothing is lost that was taken', async () => {
  const [gone, no, drip, busy] = await Promise.all([startSink(), startSink(), startSink(), startSink()]);
  no.answer({ status: 400, body: '{"error":"unable to parse"}' });
  drip.answer('trickle');
  busy.answer({ status: 429, headers: { 'retry-after': '3' } });
  const sinks = { gone, no, drip, busy };
  const outputs = Object.entries(sinks).map(([name, { url }]) => `  ${name}: {kind: influxdb, url: "${url}"}`);
  const at = fleetPlace(await startTarget(), {
    workload: 'vus: 2, duration: 32s',
    runners: 'count: 1',
    profile: `sla: {p95: < 10s}\noutputs:\n${outputs.join('\n')}`,
  });
  const told = (code: string, output: string) =>
    at.events().filter((event: Told) => event.code === code && event.output === output) as Told[];
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(loadOf(4000));
  await gone.stop();
  await at.event(loadOf(24_000));
  const back = await startSink(gone.port);
  busy.answer({ status: 204 });
  const said = await running.said;

  expect(said, said.stderr).toMatchObject({ code: 0 });
  const [released, ended, finished] = ['fleet-released', 'load-ended', 'command-finished'].map(
    (type) => at.events().find((event) => event.type === type)?.t ?? Number.NaN,
  ) as [number, number, number];
  expect(Math.abs(ended - released - 32_000)).toBeLessThan(2500);
  expect(finished - ended).toBeLessThan(14_000);
  const requests = at.summary().metrics.http_reqs?.values.count;

  expect(told('output-behind', 'gone')).toMatchObject([{ why: 'ECONNREFUSED' }]);
  expect(told('output-back', 'gone')).toMatchObject([{ lost: 0 }]);
  const seconds = secondsIn(gone, back);
  expect([...seconds.keys()]).toEqual([...seconds.keys()].toSorted());
  expect(sum(seconds.values())).toBe(requests);

  expect(told('output-behind', 'busy')).toHaveLength(1);
  expect(told('output-back', 'busy')).toMatchObject([{ lost: 0 }]);
  expect(sum(secondsIn(busy).values())).toBe(requests);
  const turnedAway = busy.sent.slice(0, busy.sent.length - busy.taken.length);
  const pauses = turnedAway.slice(1).map((sent, index) => sent.at - (turnedAway[index]?.at ?? 0));
  expect([pauses.length >= 4, Math.min(...pauses) >= 2990]).toEqual([true, true]);

  expect(told('output-refused', 'no')).toMatchObject([{ why: 'it answered 400 ({"error":"unable to parse"})' }]);
  expect(told('output-incomplete', 'no')).toMatchObject([{ kept: 0 }]);
  expect(told('output-behind', 'drip')).toMatchObject([{ why: expect.stringMatching(/^(no answer in time|it is slow)$/) }]);
  const [kept] = told('output-incomplete', 'drip');
  expect([kept?.lost, (kept?.kept ?? 0) >= 30]).toEqual([0, true]);

  drip.answer({ status: 204 });
  const again = await at.loadctl(['resend', '--json'], at.env);
  expect(again, again.stderr).toMatchObject({ code: 0 });
  expect(sum(secondsIn(drip).values())).toBe(requests);
  const more = drip.sent.length;
  expect(await at.loadctl(['resend'], at.env)).toMatchObject({ code: 0, stdout: expect.stringContaining('left nothing to send') });
  expect(drip.sent).toHaveLength(more);
});
