import { expect, test } from 'vitest';
import { goRuntime } from '../../src/k6/go-runtime.js';
import { shareOf } from '../../src/runners/runner/starting.js';

test.each([
  ['alone on a machine', { freeMemoryBytes: 10e9, cpus: 8 }, 1, { GOGC: '800', GOMEMLIMIT: '7000000000' }],
  ['two on two CPUs', { freeMemoryBytes: 10e9, cpus: 2 }, 2, { GOGC: '800', GOMEMLIMIT: '3500000000', GOMAXPROCS: '1' }],
  ['three on four CPUs', { freeMemoryBytes: 3e9, cpus: 4 }, 3, { GOGC: '800', GOMEMLIMIT: '700000000', GOMAXPROCS: '2' }],
  ['many on one CPU, with little memory each', { freeMemoryBytes: 5e9, cpus: 1 }, 12, { GOMAXPROCS: '1' }],
  ['on a host that tells nothing', {}, 3, {}],
])('the Go runtime of a runner %s', (_, host, runners, expected) => {
  expect(goRuntime(shareOf(host, runners))).toEqual({ GODEBUG: 'schedtrace=2147483647', ...expected });
});
