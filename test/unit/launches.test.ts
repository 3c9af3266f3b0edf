import { describe, expect, test } from 'vitest';
import { pushEvery } from '../../src/phases/run/launches.js';

const fleet = (backend: string, count: number) => ({
  backend,
  runners: Array.from({ length: count }, (_, index) => ({ id: String(index + 1), segment: '0:1', sequence: '0,1' })),
});

describe('how often runners push', () => {
  test.each([
    ['one runner of this machine', fleet('local', 1), 200],
    ['as many as get by with that', fleet('local', 20), 200],
    ['more: 100 pushes a second in all', fleet('local', 50), 500],
    ['once a second at least', fleet('local', 1000), 1000],
    ['hosts behind a tunnel', fleet('ssh', 2), 1000],
  ])('%s', (_, plan, ms) => {
    expect(pushEvery(plan as Parameters<typeof pushEvery>[0])).toBe(ms);
  });
});
