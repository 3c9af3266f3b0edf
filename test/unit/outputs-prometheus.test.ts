import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PbfReader } from 'pbf';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { openRedactor } from '../../src/core/redactor.js';
import { liveNumbers } from '../../src/metrics/live-numbers.js';
import { emptyHistogram } from '../../src/metrics/native-histogram.js';
import type { PushedSeries } from '../../src/metrics/series.js';
import { openOutput } from '../../src/outputs/index.js';
import { prometheusServer } from '../../src/outputs/prometheus/server.js';
import type { PlannedOutput } from '../../src/plan/outputs.js';
import { openWorld } from '../../src/world.js';
import { runId } from '../support/ids.js';
import { startSink } from '../support/sink.js';

const { clock } = openWorld();
const signal = new AbortController().signal;
const parcel = (what: string) => ({ id: `r-1-${what}`, second: 1, body: Buffer.from('').toString('base64') });
const outputAt = (url: string, more: Partial<PlannedOutput> = {}) =>
  ({ name: 'p', kind: 'prometheus', url, histograms: 'native', stats: [], every: 5000, ...more }) as Extract<
    PlannedOutput,
    { kind: 'prometheus' }
  >;

describe('a receiver', () => {
  test('that had a request already says 400 to it: nothing is lost', async () => {
    const sink = await startSink();
    const { send } = prometheusServer(outputAt(sink.url), { label: 'l', clock });
    sink.answer('cut');
    expect((await send(parcel('floats'), signal)).is).toBe('unknown');
    sink.answer({ status: 400, body: 'out of order sample' });
    expect(await send(parcel('floats'), signal)).toEqual({ is: 'taken' });
    expect((await send(parcel('others'), signal)).is).toBe('refused');
  });

  test('that answers 500 to histograms alone has them not enabled; one that answers so to all is ill', async () => {
    let refuses: (body: string) => boolean = () => true;
    const http = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      response.writeHead(refuses(Buffer.concat(pieces).toString('latin1')) ? 500 : 204).end();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => http.close().closeAllConnections());
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const server = prometheusServer(outputAt(url), { label: 'l', clock });
    const answersTo = async (what: string, times: number) => {
      const one = { ...parcel(what), body: Buffer.from(what).toString('base64') };
      const answers = [];
      for (let turn = 0; turn < times; turn += 1) answers.push((await server.send(one, signal)).is);
      return answers;
    };
    expect(await answersTo('histograms', 5)).toEqual(Array(5).fill('later'));
    refuses = () => false;
    expect(await answersTo('floats', 1)).toEqual(['taken']);
    refuses = () => true;
    expect(await answersTo('histograms', 5)).toEqual(Array(5).fill('later'));
    refuses = () => false;
    expect([await answersTo('histograms', 1), await answersTo('floats', 1)]).toEqual([['taken'], ['taken']]);
    expect(server.takesHistograms()).toBe(true);
    refuses = (body) => body.includes('histograms');
    expect(await answersTo('histograms', 3)).toEqual(['later', 'later', 'refused']);
    expect(await answersTo('floats', 1)).toEqual(['taken']);
    expect(server.takesHistograms()).toBe(false);
  });

  /* As Mimir does where they are off, and VictoriaMetrics before 1.143: a server that answers so. */
  test('that drops histograms without a word is found out, where it may be asked', async () => {
    const sink = await startSink();
    const answers = (count: string) => JSON.stringify({ data: { result: [{ value: [1, count] }] } });
    const { missing } = prometheusServer(outputAt(sink.url, { query: sink.url }), { label: 'l', clock });
    sink.answer({ status: 200, body: answers('7') });
    expect(await missing('r', { at: 1000, signal })).toBeUndefined();
    sink.answer({ status: 200, body: '{"data":{"result":[]}}' });
    expect(await missing('r', { at: 1000, signal })).toContain('nothing of it is found');
    expect(await prometheusServer(outputAt(sink.url), { label: 'l', clock }).missing('r', { at: 1000, signal })).toBeUndefined();
  });
});

test('nothing is written before a run is open, and nothing at its end without numbers but what is known of it', () => {
  const output = openOutput(outputAt('http://127.0.0.1:1'), { label: 'l', environment: 'e', clock, redact: openRedactor() });
  expect(output.closing?.()).toEqual([]);
});

/** A push of so many endpoints that answer in two ways, with the seven trends that k6 has of a request. */
function endpoints(count: number, requests: number): PushedSeries[] {
  const positive = new Map([
    [-40, requests - 1],
    [-16, 1],
  ]);
  const histogram = { ...emptyHistogram, count: requests, sum: requests * 0.03, positive };
  const trends = ['duration', 'blocked', 'connecting', 'tls_handshaking', 'sending', 'waiting', 'receiving'];
  return Array.from({ length: count * 2 }, (_, index) => {
    const tags = { name: `GET /things/${index >> 1}`, method: 'GET', status: index % 2 === 0 ? '200' : '500', scenario: 'default' };
    return [
      ...trends.map((trend) => ({ labels: { name: `http_req_${trend}_seconds`, tags }, histogram })),
      { labels: { name: 'http_reqs_total', tags }, value: requests },
    ];
  }).flat();
}

test.each([
  ['native', 8200],
  ['classic', 20_000],
  ['both', 28_000],
  ['none', 1100],
] as const)('500 endpoints, histograms: %s: so many series at most, in requests that a receiver takes', (histograms, most) => {
  const output = openOutput(outputAt('http://127.0.0.1:1', { histograms }), {
    label: 'l',
    environment: 'e',
    clock,
    redact: openRedactor(),
  });
  output.heard?.({ type: 'run-opened', run: runId('r'), directory: '/', planHash: 'h', at: 1_800_000_000_000, t: 0 });
  const numbers = liveNumbers();
  const written = [1, 2].map((turn) => {
    numbers.take(runnerId(1), endpoints(500, turn * 10));
    const parcels = output.counted?.(numbers, { at: 1_800_000_000_000 + turn * 5000, t: turn * 5000 }) ?? [];
    expect(Math.max(...parcels.map(({ body }) => body.length))).toBeLessThan(2_500_000);
    // What is lost of it is one second.
    expect(new Set(parcels.map(({ second }) => second)).size).toBe(1);
    const now = parcels.filter(({ id }) => !id.includes('zeros')).map(({ body }) => Buffer.from(body, 'base64'));
    return now.reduce((sum, body) => sum + seriesIn(body), 0);
  });
  expect(written[1]).toBe(written[0]);
  expect(written[0]).toBeLessThan(most);
  const bytes = (output.closing?.() ?? []).reduce((sum, { body }) => sum + body.length, 0);
  expect(bytes).toBeLessThan(output.bounds?.bytes ?? 0);
});

/** How many `timeseries` a WriteRequest has: its only field. */
function seriesIn(body: Uint8Array): number {
  let count = 0;
  new PbfReader(body).readFields((_, __, reader) => {
    count += 1;
    reader.readBytes();
  }, undefined);
  return count;
}
