import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRedactor } from '../../src/core/redactor.js';
import { secretsInUrl } from '../../src/core/secrets.js';
import { openOutput } from '../../src/outputs/index.js';
import { batchesOf } from '../../src/outputs/influxdb/batches.js';
import { type Line, lineOf } from '../../src/outputs/influxdb/line.js';
import type { Message } from '../../src/outputs/kind/message.js';
import type { Answer } from '../../src/outputs/kind/types.js';
import { ledger } from '../../src/outputs/prometheus/ledger.js';
import { prometheusServer } from '../../src/outputs/prometheus/server.js';
import { steadyTime } from '../../src/phases/outputs/steady-time.js';
import type { PlannedOutput } from '../../src/plan/outputs.js';
import { openWorld } from '../../src/world.js';
import { delivering, outputTo } from '../support/delivering.js';
import { secretSearch } from '../support/secret-search.js';
import { startSink } from '../support/sink.js';

const { clock } = openWorld();
const never = new AbortController().signal;
const token = 'Qx7TnbV2wR9sLk4JhGf6DpZ8';
const on = ['passed'] as const;

/** The first answer of each kind that goes to this URL with this token. */
async function answersOf(url: string, redact = openRedactor(token)): Promise<Record<string, Answer>> {
  const planned: PlannedOutput[] = [
    { name: 'i', kind: 'influxdb', url, token, bucket: 'b', families: ['loadctl'], maxPoints: 5000 },
    { name: 'p', kind: 'prometheus', url, token, histograms: 'native', stats: [], every: 5000 },
    { name: 'g', kind: 'grafana', url, token, dashboard: 'loadctl' },
    { name: 's', kind: 'slack', webhook: `${url}/services/${token}`, on: [...on] },
    { name: 't', kind: 'teams', webhook: `${url}/workflows?sig=${token}`, on: [...on] },
    { name: 'd', kind: 'pagerduty', url, routingKey: token, on: [...on] },
    { name: 'w', kind: 'webhook', url: `${url}/${token}`, on: [...on] },
  ];
  const body = JSON.stringify({ do: 'begin', key: 'k', annotation: { text: 'x', time: 1, tags: [] } });
  const sent = planned.map(async (output) => {
    const opened = openOutput(output, { label: 'l', environment: 'e', clock, redact });
    return [output.kind, await opened.send({ id: 'x', second: 1, body }, never)] as const;
  });
  return Object.fromEntries(await Promise.all(sent));
}

describe('a server', () => {
  test('that says 429 and to come back at once is not asked without end', async () => {
    const sink = await startSink();
    sink.answer({ status: 429, headers: { 'retry-after': '0' } });
    const delivery = await delivering(outputTo(sink.url, true), async ({ put, flushed }) => {
      put([{ id: 'a', second: 1, body: 'a' }]);
      await flushed(2500, never);
    });
    expect([sink.sent.length <= 5, delivery.rest().length]).toEqual([true, 1]);
  });

  test('that says to come back in a thousand years is not asked at once', async () => {
    const sink = await startSink();
    sink.answer({ status: 503, headers: { 'retry-after': '99999999999' } });
    await delivering(outputTo(sink.url, true), async ({ put, flushed }) => {
      put([{ id: 'a', second: 1, body: 'a' }]);
      await flushed(1500, never);
    });
    expect(sink.sent).toHaveLength(1);
  });

  test.each([195, 185, 0])('that repeats our secret, %i characters on, is quoted without it, and without half of it', async (before) => {
    const sink = await startSink();
    const login = Buffer.from(`ann:${token}`).toString('base64');
    sink.answer({ status: 401, body: `${'.'.repeat(before)}Bearer ${token} is no token; ${login}` });
    const quoted = JSON.stringify(await answersOf(sink.url, openRedactor(...secretsInUrl(`http://ann:${token}@host`))));
    expect(secretSearch([{ name: 'token', text: token, user: 'ann' }])(quoted)).toEqual([]);
    for (let from = 0; from + 6 <= token.length; from += 1) expect(quoted).not.toContain(token.slice(from, from + 6));
  });

  test('that answers with a login page has taken nothing; a receiver of one’s own may answer so', async () => {
    const sink = await startSink();
    sink.answer({ status: 200, headers: { 'content-type': 'text/html' }, body: '\n<!DOCTYPE html><html><body>Sign in</body></html>' });
    const answers = await answersOf(sink.url);
    expect(Object.entries(answers).map(([kind, { is }]) => [kind, is])).toEqual([
      ['influxdb', 'refused'],
      ['prometheus', 'refused'],
      ['grafana', 'refused'],
      ['slack', 'refused'],
      ['teams', 'refused'],
      ['pagerduty', 'refused'],
      ['webhook', 'taken'],
    ]);
  });

  test.each([
    [
      'speaks no HTTP',
      'SSH-2.0-OpenSSH_9.6\r\n',
      /^(what it answers is not HTTP \(HPE_\w+\)|Response does not match the HTTP\/1.1 protocol)/,
    ],
    ['ends in the middle', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', /^it broke the connection off before its answer was over/],
  ])('that %s is said to do so', async (_, said, why) => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(said)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const answers = await answersOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    for (const answer of Object.values(answers)) expect(answer).toEqual({ is: 'unknown', why: expect.stringMatching(why) });
  });

  test('at a port that fetch sends nothing to is not asked again and again', async () => {
    for (const answer of Object.values(await answersOf('http://127.0.0.1:6000')))
      expect(answer).toEqual({ is: 'refused', why: expect.stringContaining('nothing is sent to this port') });
  });

  test('that sends us elsewhere is not followed, by none', async () => {
    const [sink, elsewhere] = [await startSink(), await startSink()];
    sink.answer({ status: 307, headers: { location: elsewhere.url } });
    const answers = await answersOf(sink.url);
    expect(Object.values(answers).every(({ is }) => is === 'refused')).toBe(true);
    expect(elsewhere.sent).toEqual([]);
  });

  test('that wants a login is asked by `query` with the one in its URL, which no message holds', async () => {
    const sink = await startSink();
    sink.answer({ status: 200, body: JSON.stringify({ data: { result: [{ value: [1, '1'] }] } }) });
    const query = sink.url.replace('//', `//ann:${token}@`);
    const server = prometheusServer(
      { name: 'p', kind: 'prometheus', url: sink.url, query, histograms: 'native', stats: [], every: 5000 },
      { label: 'l', clock },
    );
    expect(await server.missing('r', { at: 1000, signal: never })).toBeUndefined();
    expect(sink.sent[0]?.headers.authorization).toBe(`Basic ${Buffer.from(`ann:${token}`).toString('base64')}`);
    sink.answer({ status: 403 });
    await expect(server.missing('r', { at: 1000, signal: never })).rejects.toThrow(/^it answered 403$/);
  });
});

const point = (name: string, at = '1000000'): Line[] => {
  const line = lineOf({ measurement: 'm', tags: { name }, fields: { value: 1 }, at });
  return line === undefined ? [] : [line];
};

test.each([
  ['line ends', 'a\nb', 'a b'],
  ['a backslash at its end', 'a\\', 'a'],
  ['its two-thousandth character', `${'n'.repeat(2000)}1`, `${'n'.repeat(2000)}2`],
  ['its last of a million', `${'é'.repeat(500_000)}1`, `${'é'.repeat(500_000)}2`],
])('InfluxDB: points of names that differ by %s do not overwrite one another', (_, one, two) => {
  const batches = batchesOf('i');
  batches.add(1, [...point(one), ...point(two)]);
  batches.add(1, point(one));
  const lines = (batches.end()[0]?.body ?? '').split('\n').map((line) => line.replace(/ value=1 /, ' @'));
  expect(new Set(lines).size).toBe(3);
  expect(lines.every((line) => Buffer.byteLength(line) < 1100)).toBe(true);
});

test('Prometheus: tags that differ only in what a label cannot hold are one series, and a label stands once', () => {
  const sample = (labels: Record<string, string>) => ({ name: 'k6_http_reqs_total', labels, value: 2, grows: true as const });
  const book = ledger();
  const { floats, zeros } = book.enter([
    sample({ 'my-tag': 'x' }),
    sample({ my_tag: 'x' }),
    sample({ 'my.tag': 'y', 'my-tag': 'x', name: '' }),
    sample({ 'my tag': 'x' }),
  ]);
  expect(floats.map(({ series, value }) => [series.labels.map(([label]) => label).join(), value])).toEqual([['__name__,my_tag', 8]]);
  expect(zeros.floats.map(({ value }) => value)).toEqual([0]);
  expect(book.ends().floats.map(({ series }) => series.key)).toEqual(floats.map(({ series }) => series.key));
});

test('where the wall clock is set back, what is written goes on in order; forward it follows', () => {
  const steady = steadyTime();
  const stamps = [
    { at: 1_800_000_000_000, t: 0 },
    { at: 1_800_000_001_000, t: 1000.4 },
    { at: 1_800_000_000_900, t: 900 },
    { at: 1_799_996_402_000, t: 2000 },
    { at: 1_799_996_403_000, t: 3000 },
    { at: 1_800_000_104_000, t: 4000 },
    { at: 1_800_000_105_000, t: 5000 },
  ];
  expect(stamps.map((stamp) => steady(stamp).at - 1_800_000_000_000)).toEqual([0, 1000, 900, 2000, 3000, 104_000, 105_000]);
});

test('a webhook’s body stays below 20 kB, whatever names hold', async () => {
  const huge = 'ü"\n'.repeat(300_000);
  const message: Message = {
    occasion: 'failed',
    environment: 'e',
    at: 1,
    t: 1,
    title: huge,
    facts: Array.from({ length: 6 }, () => ({ name: 'target', value: huge })),
    lines: Array.from({ length: 21 }, () => huge),
    limit: huge,
  };
  const planned: PlannedOutput = { name: 'w', kind: 'webhook', url: 'http://127.0.0.1:1', on: [...on] };
  const output = openOutput(planned, { label: 'l', environment: 'e', clock, redact: openRedactor() });
  const bodies = (output.told?.(message) ?? []).map(({ body }) => Buffer.byteLength(body));
  expect(bodies).toHaveLength(1);
  expect(bodies[0]).toBeLessThan(20_000);
});
