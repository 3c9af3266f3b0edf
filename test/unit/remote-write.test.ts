import { request } from 'node:http';
import SnappyJS from 'snappyjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import type { PushRejection } from '../../src/core/warnings.js';
import { startReceiver } from '../../src/k6/remote-write/receiver.js';
import { MalformedPush, OversizedPush, pushReader } from '../../src/k6/remote-write/wire.js';
import { type LiveNumbers, liveNumbers } from '../../src/metrics/live-numbers.js';
import { readTotal } from '../../src/metrics/live-total.js';
import { k6Pushes } from './k6-pushes.js';

const [firstPush = new Uint8Array(), lastPush = new Uint8Array()] = k6Pushes;

function read(numbers: LiveNumbers, key: string) {
  const total = numbers.total(key);
  return total && readTotal(total, ['p(50)', 'p(95)'], { low: 2, high: 2 });
}

describe('a real push of k6', () => {
  test('is read: names without k6_, tags without its own, a histogram with its buckets', () => {
    const series = pushReader().read(firstPush);
    const waiting = series.find(({ labels }) => labels.name === 'wait_time_seconds');
    expect(waiting?.labels.tags).toEqual({ scenario: 'default' });
    expect(waiting?.histogram).toMatchObject({ zeroCount: 0, negative: new Map() });
    expect([...(waiting?.histogram?.positive ?? [])]).toEqual([[-51, waiting?.histogram?.count]]);
    const requests = series.filter(({ labels }) => labels.name === 'http_reqs_total');
    expect(requests.map(({ labels }) => labels.tags.name).sort()).toEqual(['GET /b', 'GET /x']);
    expect(requests[0]?.labels.tags).toMatchObject({ group: '::reads', method: 'GET', scenario: 'default' });
  });

  test('has the same labels, as objects, in the next push', () => {
    const reader = pushReader();
    const labels = (body: Uint8Array) => reader.read(body).find((series) => series.labels.name === 'iterations_total')?.labels;
    expect(labels(firstPush)).toBe(labels(lastPush));
  });

  test('counts as it arrives: a runner whose clock was set back by the time of a push goes on', () => {
    const numbers = liveNumbers();
    const reader = pushReader();
    const requestsAfter = (body: Uint8Array) => {
      numbers.take(runnerId(1), reader.read(body));
      return read(numbers, 'http_reqs{name:GET /x}')?.values.count;
    };
    const [first, last] = [requestsAfter(firstPush), requestsAfter(lastPush)];
    expect([first, last]).toEqual([expect.any(Number), 10]);
    expect(first).toBeLessThan(10);
    expect(requestsAfter(firstPush)).toBe(first);
  });

  test('merges into what k6 itself counted', () => {
    const numbers = liveNumbers();
    const reader = pushReader();
    for (const body of k6Pushes) numbers.take(runnerId(1), reader.read(body));

    expect(read(numbers, 'http_reqs')?.values).toEqual({ count: 20, rate: 10 });
    expect(read(numbers, 'http_req_failed')).toMatchObject({ type: 'rate', values: { rate: 0.05, passes: 1, fails: 19 } });
    expect(read(numbers, 'orders')).toMatchObject({ type: 'counter', values: { count: 25 } });
    expect(read(numbers, 'won')).toMatchObject({ type: 'rate', values: { rate: 0.6 }, bounds: {} });
    expect(read(numbers, 'checks')).toMatchObject({ type: 'rate', bounds: { rate: [0, 1] } });
    expect(read(numbers, 'cart_size')).toMatchObject({ type: 'gauge', values: { value: 7 } });
    expect(read(numbers, 'points')).toMatchObject({ type: 'trend', contains: 'default', values: { count: 30 } });
    expect(read(numbers, 'points')?.values.avg).toBeCloseTo(39.1667, 3);
    expect(read(numbers, 'points')?.bounds['p(50)']).toEqual([0, 0]);
    const waited = read(numbers, 'wait_time');
    expect(waited).toMatchObject({ type: 'trend', contains: 'time', values: { count: 10 } });
    expect(waited?.bounds['p(95)']?.[0]).toBeLessThan(12);
    expect(waited?.bounds['p(95)']?.[1]).toBeGreaterThan(12);
    expect(read(numbers, 'http_reqs{name:GET /x}')?.values.count).toBe(10);
    expect(read(numbers, 'http_reqs{name:GET /nothing}')).toBeUndefined();
    expect(numbers.metricsOf(runnerId(1))).toContain('http_req_duration');
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['no snappy', Buffer.from('{"hello": "world"}')],
    ['cut off', firstPush.subarray(0, 900)],
    ['snappy of something else', SnappyJS.compress(Buffer.from('hello, world, hello, world'))],
    [
      'no metric of k6',
      SnappyJS.compress(Buffer.from([10, 24, 10, 14, 10, 8, ...Buffer.from('__name__'), 18, 2, 117, 112, 18, 6, 9, 0, 0, 0, 0, 0])),
    ],
  ])('%s is malformed', (_, body) => {
    expect(() => pushReader().read(new Uint8Array(body))).toThrow(MalformedPush);
  });

  test('cut off inside of a series it is malformed', () => {
    const unpacked = SnappyJS.uncompress(firstPush);
    for (let length = 1; length < unpacked.length; length += 37) {
      const cut = SnappyJS.compress(unpacked.subarray(0, length));
      expect(() => pushReader().read(cut), String(length)).toThrow(MalformedPush);
    }
  });

  test('series that are not admitted are passed over, by their name tag', () => {
    const asked: (string | undefined)[] = [];
    const reader = pushReader((name) => {
      asked.push(name);
      return name === undefined;
    });
    const read = reader.read(firstPush);
    expect([...new Set(asked)].sort()).toEqual(['GET /b', 'GET /x', undefined]);
    const whole = pushReader().read(firstPush);
    expect(read).toEqual(whole.filter(({ labels }) => labels.tags.name === undefined));
    expect([read.length > 0, read.length < whole.length]).toEqual([true, true]);
    reader.read(firstPush);
    expect(asked.length, 'what is known is not asked about again').toBe(whole.length + whole.length - read.length);
  });

  test('a push that would unpack to more than is accepted is not unpacked', () => {
    expect(() => pushReader().read(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x07, 0]))).toThrow(OversizedPush);
  });
});

async function openReceiver() {
  const pushed: string[] = [];
  const rejected: PushRejection[] = [];
  const receiver = await startReceiver([runnerId(1), runnerId(2)], {
    pushed: (runner) => pushed.push(runner),
    admits: () => true,
    rejected: (why) => rejected.push(why),
  });
  onTestFinished(() => receiver.close());
  return { receiver, pushed, rejected };
}

function post(url: string, token: string, body: Uint8Array, method = 'POST'): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.once('error', reject);
    call.end(body);
  });
}

describe('the receiver', () => {
  test('takes a push in and says whose it is', async () => {
    const { receiver, pushed, rejected } = await openReceiver();
    const { url, token } = receiver.addressFor(runnerId(2));
    expect(await post(url, token, firstPush)).toBe(204);
    expect([pushed, rejected]).toEqual([['2'], []]);
    expect(new URL(url).hostname).toBe('127.0.0.1');
  });

  test('turns away what is malformed, oversized or foreign, and goes on', async () => {
    const { receiver, pushed, rejected } = await openReceiver();
    const [one, two] = [receiver.addressFor(runnerId(1)), receiver.addressFor(runnerId(2))];
    expect(await post(one.url, one.token, Buffer.from('nonsense'))).toBe(400);
    expect(await post(one.url, one.token, firstPush, 'PUT')).toBe(405);
    expect(await post(one.url, one.token, new Uint8Array(9 * 1024 * 1024)).catch(() => 413)).toBe(413);
    expect(await post(one.url, two.token, firstPush)).toBe(401);
    expect(await post(one.url, '', firstPush)).toBe(401);
    expect(await post(new URL('/1/guess', one.url).href, one.token, firstPush)).toBe(404);
    expect(rejected).toEqual(['malformed', 'malformed', 'oversized', 'foreign', 'foreign', 'foreign']);
    expect(pushed).toEqual([]);
    expect(await post(one.url, one.token, firstPush)).toBe(204);
    expect(pushed).toEqual(['1']);
  });

  test('gives every runner a path and a token of its own', async () => {
    const { receiver } = await openReceiver();
    const [one, two] = [receiver.addressFor(runnerId(1)), receiver.addressFor(runnerId(2))];
    expect(one.url).not.toBe(two.url);
    expect(one.token).not.toBe(two.token);
    expect(one.token.length).toBeGreaterThanOrEqual(32);
  });
});
