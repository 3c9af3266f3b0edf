import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { MonitorLook } from '../../src/core/monitors.js';
import { lookOnce, sample } from '../../src/monitors/sampler.js';
import { openWorld } from '../../src/world.js';

/** A server that thinks for so long before it answers. */
async function slowServer(ms: number): Promise<string> {
  const server = createServer((_, response) => void setTimeout(() => response.end(), ms));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('values that come late count for nothing; that a source is gone is told even then', async () => {
  const url = await slowServer(250);
  const [over, looks] = [new AbortController(), [] as MonitorLook[]];
  const probe = {
    source: 'a',
    drop: () => undefined,
    look: async () => {
      await (await fetch(url)).arrayBuffer();
      return [
        { source: 'b', values: { depth: 1 } },
        { source: 'c', gone: true as const },
      ];
    },
  };
  const tell = ({ look }: { readonly look: MonitorLook }) => {
    looks.push(look);
    if (look.gone === true) over.abort();
  };
  await sample(probe, { every: 100, timeout: 100, clock: openWorld().clock, tell }, over.signal);
  expect(looks.at(-1)).toEqual({ source: 'c', gone: true });
  expect(new Set(looks.slice(0, -1).map(({ error }) => error))).toEqual(new Set(['no answer within 100 ms']));
});

test.each([
  ['as it is', { depth: 1 }, { values: { depth: 1 } }],
  ['without what is none', { depth: 1, age: Number.NaN, load: Number.POSITIVE_INFINITY }, { values: { depth: 1 } }],
  ['or a hole', { depth: Number.NaN }, { error: 'it told no number: NaN' }],
])('a look whose values are no numbers is told %s', async (_, values, expected) => {
  const probe = { source: 'a', drop: () => undefined, look: async () => [{ source: 'b', values }] };
  expect((await lookOnce(probe, { elapsed: () => 5 })).map(({ look }) => look)).toEqual([{ source: 'b', ...expected }]);
});

test('a look whose samples have no time says so', async () => {
  const look = async () => [{ source: 'b', values: { depth: 1 }, ageMs: Number.POSITIVE_INFINITY }];
  const told = await lookOnce({ source: 'a', drop: () => undefined, look }, { elapsed: () => 5 });
  expect(told).toEqual([{ look: { source: 'b', error: 'its samples have no time' }, at: 5 }]);
});
