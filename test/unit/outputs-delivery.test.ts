import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pauseAfter } from '../../src/outputs/delivery/pause.js';
import { retryAfterMs } from '../../src/outputs/delivery/post.js';
import { amountOf, queueWithin } from '../../src/outputs/delivery/queue.js';
import { troubleTeller } from '../../src/outputs/delivery/trouble.js';
import type { Parcel } from '../../src/outputs/kind/types.js';
import { delivering, outputTo } from '../support/delivering.js';
import { startSink } from '../support/sink.js';

const parcel = (second: number, body = 'x', id = `${second}-${body}`): Parcel => ({ id, second, body });

describe('what waits', () => {
  test('is bounded in bytes and age; what goes is the oldest, in whole seconds', () => {
    const queue = queueWithin({ bytes: 40, ageMs: 1000 }, 'second');
    expect(queue.put([parcel(1, 'aaaaaa'), parcel(1, 'bbbbbb'), parcel(2, 'cccccc')], 0)).toBe(1);
    expect(queue.rest().map(({ body }) => body)).toEqual(['cccccc']);
    expect(queue.put([parcel(3, 'dddddd')], 900)).toBe(0);
    expect(queue.expire(1001)).toBe(1);
    expect(queue.rest().map(({ second }) => second)).toEqual([3]);
    expect(queue.ageMs(1001)).toBe(101);
  });

  test('of messages each counts for itself', () => {
    const queue = queueWithin({ bytes: 1000, ageMs: 10 }, 'message');
    queue.put([parcel(1, 'a'), parcel(1, 'b')], 0);
    expect(amountOf(queue.rest(), 'message')).toBe(2);
    expect(queue.expire(11)).toBe(2);
  });

  test('whatever comes and goes: never above the bound, nothing twice, nothing out of order, and all of it is accounted for', () => {
    const sizes = fc.array(fc.record({ size: fc.integer({ min: 0, max: 30 }), take: fc.boolean() }), { maxLength: 200 });
    fc.assert(
      fc.property(sizes, (steps) => {
        const queue = queueWithin({ bytes: 100, ageMs: Number.POSITIVE_INFINITY }, 'second');
        const taken: number[] = [];
        let dropped = 0;
        for (const [second, { size, take }] of steps.entries()) {
          dropped += queue.put([parcel(second, 'y'.repeat(size), '')], second);
          const head = queue.head();
          if (take && head !== undefined) {
            taken.push(head.second);
            queue.done(head);
          }
          expect(queue.rest().reduce((sum, { body }) => sum + body.length, 0)).toBeLessThanOrEqual(100);
        }
        const left = queue.rest().map(({ second }) => second);
        expect([...taken, ...left]).toEqual([...taken, ...left].toSorted((a, b) => a - b));
        expect(taken.length + left.length + dropped).toBe(steps.length);
      }),
    );
  });

  test('one that went meanwhile for want of room is not taken out again', () => {
    const queue = queueWithin({ bytes: 10, ageMs: 1000 }, 'second');
    const first = parcel(1, '1234567', '');
    queue.put([first], 0);
    queue.put([parcel(2, '1234567', '')], 0);
    queue.done(first);
    expect(queue.rest().map(({ second }) => second)).toEqual([2]);
  });
});

test('pauses grow from half a second to half a minute, and differ', () => {
  expect([1, 2, 3, 7, 8, 50].map((failures) => pauseAfter(failures, () => 0))).toEqual([500, 1000, 2000, 30_000, 30_000, 30_000]);
  expect(pauseAfter(3, () => 0.5)).toBe(1500);
});

test('trouble is told once when it lasts, and once when it is over; a short one is nobody’s business', () => {
  const told: string[] = [];
  const trouble = troubleTeller((news) => told.push(JSON.stringify(news)));
  trouble.failed(0, 'ECONNREFUSED');
  trouble.waits(4000, 4000);
  trouble.caughtUp(4500);
  expect(told).toEqual([]);
  trouble.failed(10_000, 'ECONNREFUSED');
  for (const at of [14_000, 15_000, 16_000, 60_000]) trouble.waits(at, at - 10_000);
  trouble.dropped(3);
  trouble.caughtUp(70_000);
  trouble.caughtUp(71_000);
  expect(told).toEqual(['{"is":"behind","why":"ECONNREFUSED"}', '{"is":"back","forMs":60000,"lost":3}']);
});

test('whoever is told of it may look again at once', () => {
  let told = 0;
  const trouble = troubleTeller(() => {
    told += 1;
    trouble.caughtUp(20_000);
  });
  trouble.failed(0, 'ECONNREFUSED');
  trouble.waits(6000, 6000);
  trouble.caughtUp(20_000);
  expect(told).toBe(2);
});

test.each([
  ['3', undefined, 3000],
  ['0.5', undefined, 500],
  ['Wed, 21 Oct 2015 07:28:10 GMT', 'Wed, 21 Oct 2015 07:28:00 GMT', 10_000],
  ['Wed, 21 Oct 2015 07:28:10 GMT', undefined, undefined],
  ['soon', 'Wed, 21 Oct 2015 07:28:00 GMT', undefined],
])('Retry-After: %s', (asked, date, ms) => {
  expect(retryAfterMs(new Headers({ 'retry-after': asked, ...(date === undefined ? {} : { date }) }))).toBe(ms);
});

const never = new AbortController().signal;

describe('a delivery to a server', () => {
  test('sends one at a time and in order', async () => {
    const sink = await startSink();
    const delivery = await delivering(outputTo(sink.url, true), async ({ put, flushed }) => {
      put(Array.from({ length: 50 }, (_, second) => parcel(second, `b${second}`)));
      await flushed(5000, never);
    });
    expect(sink.taken.map(({ body }) => body)).toEqual(Array.from({ length: 50 }, (_, second) => `b${second}`));
    expect([delivery.rest(), delivery.lost()]).toEqual([[], 0]);
  });

  test.each([[{ status: 500 }], [{ status: 429, headers: { 'retry-after': '0.3' } }], [{ status: 503 }]] as const)(
    'that answers %j first gets it again, in order',
    async (answering) => {
      const sink = await startSink();
      sink.answer(answering);
      await delivering(outputTo(sink.url, false), async ({ put, flushed }) => {
        put([parcel(1, 'one'), parcel(2, 'two')]);
        await expect.poll(() => sink.sent.length, { interval: 5 }).toBe(1);
        sink.answer({ status: 200 });
        await flushed(5000, never);
      });
      expect(sink.sent.map(({ body }) => body)).toEqual(['one', 'one', 'two']);
      if (answering.status === 429) expect((sink.sent[1]?.at ?? 0) - (sink.sent[0]?.at ?? 0)).toBeGreaterThanOrEqual(299);
    },
  );

  test.each([[400], [401], [404], [302]])('that answers %i is not asked again, told of once, and the next one goes on', async (status) => {
    const sink = await startSink();
    sink.answer({ status, body: 'no <such>\n thing', headers: { location: '/elsewhere' } });
    const given = outputTo(sink.url, true);
    const delivery = await delivering(given, async ({ put, flushed }) => {
      put([parcel(1, 'one'), parcel(2, 'two')]);
      await flushed(5000, never);
    });
    expect(sink.sent.map(({ body }) => body)).toEqual(['one', 'two']);
    expect(given.news).toEqual([{ is: 'refused', why: `it answered ${status} (no <such> thing)` }]);
    expect([delivery.rest(), delivery.lost()]).toEqual([[], 2]);
  });

  test.each([
    [400, 2],
    [410, 3],
  ])('that answers %i to several parts of a second has lost that second once', async (status, lost) => {
    const sink = await startSink();
    sink.answer({ status });
    const delivery = await delivering(outputTo(sink.url, true), async ({ put, flushed }) => {
      put([parcel(1, 'one'), parcel(1, 'two'), parcel(2, 'three'), parcel(2, 'four')]);
      await flushed(5000, never);
      if (status === 410) put([parcel(3, 'five'), parcel(3, 'six')]);
    });
    expect(delivery.lost()).toBe(lost);
  });

  test.each([
    ['ann:100%25', 'ann:100%'],
    ['ann:100%', 'ann:100%'],
    ['ann:p%E9', 'ann:p%E9'],
  ])('whose URL has the login %s is told it', async (login, told) => {
    const sink = await startSink();
    await delivering(outputTo(sink.url.replace('//', `//${login}@`), true), async ({ put, flushed }) => {
      put([parcel(1)]);
      await flushed(5000, never);
    });
    expect(sink.taken.map(({ headers }) => headers.authorization)).toEqual([`Basic ${Buffer.from(told).toString('base64')}`]);
  });

  test('that answers 410 is sent nothing any more', async () => {
    const sink = await startSink();
    sink.answer({ status: 410 });
    const delivery = await delivering(outputTo(sink.url, true), async ({ put, flushed }) => {
      put([parcel(1), parcel(2)]);
      await flushed(5000, never);
      put([parcel(3)]);
    });
    expect([sink.sent.length, delivery.rest(), delivery.lost()]).toEqual([1, [], 3]);
  });

  test.each([
    [true, ['one', 'one', 'two'], 0],
    [false, ['one', 'two'], 1],
  ])('that breaks the connection: sent again only where it is safe (%s)', async (repeatable, bodies, lost) => {
    const sink = await startSink();
    sink.answer('cut');
    const delivery = await delivering(outputTo(sink.url, repeatable), async ({ put, flushed }) => {
      put([parcel(1, 'one')]);
      await expect.poll(() => sink.sent.length, { interval: 5 }).toBe(1);
      sink.answer({ status: 200 });
      put([parcel(2, 'two')]);
      await flushed(5000, never);
    });
    expect(sink.sent.map(({ body }) => body)).toEqual(bodies);
    expect(delivery.lost()).toBe(lost);
  });

  test.each([
    [true, ['one'], 0],
    [false, [], 1],
  ])('the end cuts off what is under way at once, and keeps what may be sent again (%s)', async (repeatable, rest, lost) => {
    const sink = await startSink();
    sink.answer('hang');
    const cut = new AbortController();
    onTestFinished(() => cut.abort());
    const begun = performance.now();
    const delivery = await delivering(outputTo(sink.url, repeatable), async ({ put, flushed }) => {
      put([parcel(1, 'one')]);
      await expect.poll(() => sink.sent.length, { interval: 5 }).toBe(1);
      await flushed(300, cut.signal);
    });
    expect(performance.now() - begun).toBeLessThan(3000);
    expect([delivery.rest().map(({ body }) => body), delivery.lost()]).toEqual([rest, lost]);
  });
});
