import { describe, expect, test } from 'vitest';
import type { Parcel } from '../../src/outputs/kind/types.js';
import { delivering, outputTo } from '../support/delivering.js';
import { startSink } from '../support/sink.js';

const parcel = (second: number, body: string): Parcel => ({ id: `${second}-${body}`, second, body });
const never = new AbortController().signal;

describe('a server', () => {
  test('that is not there: nothing is lost, it is told once, and once when it is back', async () => {
    const gone = await startSink();
    await gone.stop();
    const given = outputTo(gone.url, false);
    const delivery = await delivering(given, async ({ put, flushed }) => {
      put([parcel(1, 'one'), parcel(2, 'two')]);
      await expect.poll(() => given.news.length, { timeout: 10_000, interval: 20 }).toBe(1);
      expect(given.news).toEqual([{ is: 'behind', why: 'ECONNREFUSED' }]);
      const back = await startSink(gone.port);
      await flushed(10_000, never);
      expect(back.taken.map(({ body }) => body)).toEqual(['one', 'two']);
    });
    expect(given.news.map(({ is }) => is)).toEqual(['behind', 'back']);
    expect([delivery.rest(), delivery.lost()]).toEqual([[], 0]);
  });

  test.each(['hang', 'trickle'] as const)(
    'that lets it %s: given up after 5 s, whole and not lost where it may be sent again',
    async (how) => {
      const sink = await startSink();
      sink.answer(how);
      const given = outputTo(sink.url, true);
      const begun = performance.now();
      const delivery = await delivering(given, async ({ put }) => {
        put([parcel(1, 'one')]);
        await expect.poll(() => given.news.length, { timeout: 10_000, interval: 20 }).toBe(1);
        expect(performance.now() - begun).toBeGreaterThan(4900);
      });
      expect(given.news).toEqual([{ is: 'behind', why: 'no answer in time' }]);
      expect([delivery.rest().map(({ body }) => body), delivery.lost()]).toEqual([['one'], 0]);
    },
  );
});
