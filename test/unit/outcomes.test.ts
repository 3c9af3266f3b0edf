import { describe, expect, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import type { EndCause, RunnerOutcome } from '../../src/core/outcome.js';
import { lostShare } from '../../src/metrics/lost-share.js';
import { lossFaults } from '../../src/phases/verify/outcomes.js';

const outcome = (runner: number, cause: EndCause, numbers: RunnerOutcome['numbers'], lost = 0): RunnerOutcome => ({
  runner: runnerId(runner),
  cause,
  numbers,
  lost,
  ...(cause === 'killed' ? { signal: 'SIGKILL' } : {}),
});
const done = (runner: number) => outcome(runner, 'reached-end', 'own');
const killed = (runner: number, lost: number) => outcome(runner, 'killed', 'pushed', lost);
const gone = (runner: number, lost: string) =>
  `Runner ${runner} was lost (killed by SIGKILL): ${lost} of the load was not made, and what it pushed until then stands in for its numbers.`;
const nobody = 'No runner came to the planned end with its own numbers.';

test.each<[string, readonly RunnerOutcome[], number | undefined, readonly string[]]>([
  ['all that came to their end', [done(1), done(2)], undefined, []],
  ['one that was lost', [done(1), killed(2, 0.25)], undefined, [gone(2, '25%')]],
  ['one that was lost, which is allowed', [done(1), killed(2, 0.25)], 0.6, []],
  [
    'two that were lost, each of which would be allowed',
    [done(1), killed(2, 0.35), killed(3, 0.3)],
    0.6,
    [gone(2, '35%'), gone(3, '30%'), 'In all 65% of the load was lost; the profile allows 60%.'],
  ],
  ['all that were lost, allowed or not', [killed(1, 0.1), killed(2, 0.2)], 0.6, [gone(1, '10%'), gone(2, '20%'), nobody]],
  [
    'one that was lost while it wrote',
    [done(1), outcome(2, 'killed', 'pushed')],
    undefined,
    ['Runner 2 was lost (killed by SIGKILL): its load was made, and what it pushed until then stands in for its numbers.'],
  ],
  [
    'one that left nothing, after an allowed loss',
    [done(1), killed(2, 0.1), outcome(3, 'frozen', 'none', 1 / 3)],
    0.2,
    [
      gone(2, '10%'),
      'Runner 3 was lost (its process is frozen): 33.3% of the load was not made, and its numbers are missing.',
      'In all 43.3% of the load was lost; the profile allows 20%.',
    ],
  ],
  [
    'one whose numbers cannot be read',
    [done(1), outcome(2, 'reached-end', 'none', 0.5)],
    undefined,
    ['Runner 2 left no readable numbers of its own: its numbers are missing.'],
  ],
  [
    'one that stood still too often',
    [done(1), { ...outcome(2, 'reached-end', 'own', 0.2), stoodStillMs: 4000 }],
    0.1,
    [
      'Runner 2 stood still for 4s in all: 20% of the load was not made, and its own numbers are in the result.',
      'In all 20% of the load was lost; the profile allows 10%.',
    ],
  ],
  ['one that stood still, which is allowed', [done(1), { ...outcome(2, 'reached-end', 'own', 0.2), stoodStillMs: 4000 }], 0.2, []],
  [
    'one that was lost, and one that had no VUs',
    [killed(1, 0.5), { ...done(2), idle: true }],
    0.6,
    [gone(1, '50%'), 'No runner that had VUs came to the planned end with its own numbers.'],
  ],
  ['one that was stopped, and nobody else', [outcome(1, 'stopped', 'own', 0.5)], undefined, [nobody]],
])('a result with %s', (_, outcomes, allowedLoss, faults) => {
  expect(lossFaults(outcomes, allowedLoss ?? 0, 'as planned')).toEqual(faults);
});

test('a load that was ended early for what it measured needs nobody at its planned end', () => {
  expect(lossFaults([outcome(1, 'stopped', 'own', 0.5)], 0, 'early')).toEqual([]);
  expect(lossFaults([outcome(1, 'stopped', 'own', 0.5), killed(2, 0.5)], 0, 'early')).toEqual([gone(2, '50%')]);
});

describe('the share of the load that a runner did not make', () => {
  const steady = { name: 'steady', startMs: 0, durationMs: 60_000, vus: 8, open: false };
  const late = { name: 'late', startMs: 60_000, durationMs: 30_000, vus: 8, open: true };
  const counted = { name: 'counted', startMs: 0, durationMs: 600_000, iterations: 100, vus: 8, open: false };
  const made = (ms: number, iterations?: number) => ({ ms, iterationsOf: () => iterations });
  test.each([
    ['of time', [steady], made(45_000), 0.125],
    ['of all of it', [steady], made(0), 0.5],
    ['of nothing, in the grace after its end', [steady], made(75_000), 0],
    ['of the time of all scenarios', [steady, late], made(75_000), 1 / 12],
    ['of time or of iterations, whichever is more', [steady, counted], made(45_000, 40), 0.125],
    ['of iterations, whatever the time', [counted], made(1000, 40), 0.1],
    ['of iterations that nobody counted', [counted], made(1000), 0.5],
    ['of iterations that are dealt out in whole numbers', [{ ...counted, iterations: 3 }], made(1000, 1), 0],
  ])('%s', (_, scenarios, done, lost) => {
    expect(lostShare({ index: 1, of: 2 }, scenarios, done)).toBeCloseTo(lost, 12);
  });

  // What real k6 dealt out to equal segments: 5 VUs to 3 runners as 2, 2, 1, and a single VU to the first.
  test.each([
    [1, 3, [0.75, 0, 0]],
    [5, 3, [0.3, 0.3, 0.15]],
    [7, 6, [1.5 / 7, 0.75 / 7, 0.75 / 7, 0.75 / 7, 0.75 / 7, 0.75 / 7]],
  ])('goes by the VUs that it had: %i VUs on %i runners, a quarter of the time done', (vus, of, shares) => {
    const lost = shares.map((_, index) => lostShare({ index, of }, [{ ...steady, vus }], made(15_000)));
    expect(lost.map((share) => share.toFixed(9))).toEqual(shares.map((share) => share.toFixed(9)));
  });

  test('of iterations goes by the VUs that were to make them', () => {
    const single = { ...counted, vus: 1, iterations: 40 };
    expect(lostShare({ index: 0, of: 3 }, [single], made(1000, 12))).toBeCloseTo(0.7, 12);
    expect(lostShare({ index: 2, of: 3 }, [single], made(1000))).toBe(0);
  });
});
