import { expect, test } from 'vitest';
import type { LoadctlEvent } from '../../src/core/events.js';
import { runnerId } from '../../src/core/ids.js';
import { liveNumbers } from '../../src/metrics/live-numbers.js';
import { lossPolicy } from '../../src/phases/run/losses.js';
import { foreseenLoad } from '../../src/plan/inspection.js';
import { least, load, planHere } from './profile-files.js';

const scenarios = {
  first: { executor: 'constant-vus', vus: 4, duration: '20s', gracefulStop: '5m' },
  last: { executor: 'constant-vus', vus: 4, startTime: '20s', duration: '20s', gracefulStop: '5m' },
};

/** What is told when a runner of two is lost so many milliseconds after the start. */
function told(...lostAt: readonly number[]): LoadctlEvent[] {
  const plan = planHere(load({ 'test.yaml': `${least}runners: {count: 2, onLost: continue, allowedLoss: 30%}\n` }));
  const events: LoadctlEvent[] = [];
  let now = 0;
  const clock = { stamp: () => now, elapsed: () => now, sleep: () => Promise.resolve() };
  const test = { load: foreseenLoad({ options: { scenarios }, maxVus: 8 }) };
  const live = { numbers: liveNumbers() };
  const goOnWithout = lossPolicy({ plan, test, live, releasedAt: 0 }, { clock, emit: (event) => events.push(event) });
  for (const [index, at] of lostAt.entries()) {
    now = at;
    expect(goOnWithout({ id: runnerId(index + 1) }, { cause: 'crashed', exitCode: 137 })).toBe(true);
  }
  return events;
}

test.each([
  [[0], [{ lost: 0.5, allowed: false }]],
  [[20_000], [{ lost: 0.25, allowed: true }]],
  [[40_000], [{ lost: 0, allowed: true }]],
  [[200_000], [{ lost: 0, allowed: true }]],
  [
    [30_000, 30_000],
    [
      { lost: 0.125, allowed: true },
      { lost: 0.125, allowed: true },
    ],
  ],
])('runners of two lost after %j ms of 40 s, the grace of five minutes apart', (lostAt, shares) => {
  expect(told(...lostAt)).toMatchObject(shares.map((share) => ({ type: 'runner-lost', ...share })));
});
