import { expect, test } from 'vitest';
import { beginMetric } from '../../src/k6/wrapper.js';
import { startSkew } from '../../src/phases/run/start-skew.js';
import type { HostFacts } from '../../src/runners/runner/types.js';

const facts = (clockOffsetMs: number): HostFacts => ({ k6Version: '2.2.0', platform: 'Linux x86_64', clockOffsetMs });
const begun = (at: number, hostFacts?: HostFacts) => ({
  runner: hostFacts === undefined ? {} : { hostFacts },
  numbers: {
    summary: {
      metrics: { [beginMetric]: { type: 'gauge' as const, contains: 'default' as const, empty: false, min: at } },
      rootGroup: { id: '', name: '', path: '', groups: [], checks: [] },
    },
  },
});

test.each([
  ['of this machine’s runners', [begun(1000), begun(1030)], 30],
  ['of hosts whose clocks are wrong', [begun(61_000, facts(60_000)), begun(-3980, facts(-5000)), begun(1005, facts(0))], 20],
  ['of one runner', [begun(1000)], undefined],
  ['of a runner that left no numbers', [begun(1000), { runner: {}, numbers: undefined }], undefined],
] as const)('the start skew %s', (_, runners, skewMs) => {
  expect(startSkew(runners)).toBe(skewMs);
});
