import { expect, test } from 'vitest';
import type { LoadctlEvent } from '../../src/core/events.js';
import { runnerId } from '../../src/core/ids.js';
import { lossesOf } from '../../src/phases/run/losses.js';
import { loadEndAt } from '../../src/phases/watch/load-end.js';
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
  const clock = { now: () => now, elapsed: () => now, sleep: () => Promise.resolve() };
  const endAt = loadEndAt(foreseenLoad({ options: { scenarios }, maxVus: 8 }).scenarios, {
    total: () => undefined,
    totalsBy: () => new Map(),
  });
  const { goOnWithout } = lossesOf({ plan }, { clock, emit: (event) => events.push(event) }, { releasedAt: 0, endAt });
  for (const [index, at] of lostAt.entries()) {
    now = at;
    expect(goOnWithout({ runner: { id: runnerId(index + 1) }, end: { exitCode: 137 } })).toBe(true);
  }
  return events;
}

test.each([
  [[0], [{ lostShare: 0.5, allowed: false }]],
  [[20_000], [{ lostShare: 0.25, allowed: true }]],
  [[40_000], [{ lostShare: 0, allowed: true }]],
  [[200_000], [{ lostShare: 0, allowed: true }]],
  [
    [30_000, 30_000],
    [
      { lostShare: 0.125, allowed: true },
      { lostShare: 0.25, allowed: true },
    ],
  ],
])('runners of two lost after %j ms of 40 s, the grace of five minutes apart', (lostAt, shares) => {
  expect(told(...lostAt)).toMatchObject(shares.map((share) => ({ type: 'runner-lost', ...share })));
});
