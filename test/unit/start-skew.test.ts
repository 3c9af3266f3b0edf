import { expect, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { beginMetric } from '../../src/k6/wrapper.js';
import { startSkew } from '../../src/phases/run/start-skew.js';

/** A runner that noted `at` by the clock of its host, which said `before` and `after` when loadctl's own stood at 0. */
const begun = (runner: number, at: number, before = 0, after: number | undefined = before) => ({
  before: [runnerId(runner), before] as const,
  runner: { id: runnerId(runner), clockOrigin: async () => after },
  numbers: {
    summary: {
      metrics: { [beginMetric]: { type: 'gauge' as const, contains: 'default' as const, empty: false, min: at } },
      rootGroup: { id: '', name: '', path: '', groups: [], checks: [] },
    },
  },
});
const silent = (runner: number) => ({ ...begun(runner, 0), numbers: undefined });

test.each([
  ['of this machine’s runners', [begun(1, 1000), begun(2, 1030)], 30],
  ['of hosts whose clocks are wrong', [begun(1, 61_000, 60_000), begun(2, -3980, -5000), begun(3, 1005)], 20],
  ['of a host whose clock was set meanwhile', [begun(1, 61_000, 60_000, 0), begun(2, 1000)], 'unknown'],
  ['of a host whose clock was put right a little', [begun(1, 61_000, 60_000, 60_080), begun(2, 1000)], 0],
  ['of a host that is out of reach by now', [begun(1, 61_000, 60_000, undefined), begun(2, 1000)], 0],
  ['of one runner', [begun(1, 1000)], undefined],
  ['of a runner that left no numbers', [begun(1, 1000), silent(2)], undefined],
] as const)('the start skew %s', async (_, runners, skewMs) => {
  expect(await startSkew(runners, new Map(runners.map(({ before }) => before)))).toBe(skewMs);
});
