import { describe, expect, test } from 'vitest';
import { pushEvery } from '../../src/phases/run/launches.js';

describe('how often runners push', () => {
  test.each([
    ['one runner of this machine', 'local', 1, 200],
    ['as many as get by with that', 'local', 20, 200],
    ['more: 100 pushes a second in all', 'local', 50, 500],
    ['once a second at least', 'local', 1000, 1000],
    ['hosts behind a tunnel', 'ssh', 2, 1000],
  ] as const)('%s', (_, backend, count, ms) => {
    expect(pushEvery({ backend, count })).toBe(ms);
  });
});
