import { expect, test } from 'vitest';
import type { LoadctlEvent } from '../../src/core/events.js';
import { runnerId } from '../../src/core/ids.js';
import { liveNumbers } from '../../src/metrics/live-numbers.js';
import { lossPolicy } from '../../src/phases/run/losses.js';
import { type EndEvidence, outcomeOf } from '../../src/phases/run/outcomes.js';
import { foreseenLoad } from '../../src/plan/inspection.js';
import { least, load, planHere } from './profile-files.js';

const scenarios = { only: { executor: 'constant-vus', vus: 4, duration: '20s' } };
const says = (message: string) => ({ errors: [{ level: 'error', message, byScript: false }], markedFailed: false });

function loadOfTwo() {
  const plan = planHere(load({ 'test.yaml': `${least}runners: {count: 2, onLost: continue, allowedLoss: 10%}\n` }));
  return { plan, test: { load: foreseenLoad({ options: { scenarios }, maxVus: 4 }) }, live: { numbers: liveNumbers() }, releasedAt: 0 };
}

/** What comes of a runner whose k6 said that its test was interrupted and stayed for more than a second, by its log and its end. */
function outcome(message: string, end: EndEvidence['end']) {
  const runner = { id: runnerId(1), asked: () => 'hard' as const };
  const evidence = { runner, end, load: { cause: 'aborted' as const }, stop: undefined, writing: undefined, log: says(message) };
  return outcomeOf(evidence, { numbers: 'own', ms: 5000, stillMs: 0 }, loadOfTwo());
}

test.each([
  ['test aborted: enough', { cause: 'aborted', said: 'test.abort(): enough' }],
  ['error building browser', { cause: 'aborted', said: 'error building browser' }],
  ["test run was aborted because k6 received a 'terminated' signal", { cause: 'ended-outside' }],
])('who ended a test that was interrupted is told by k6’s log, however long it writes: %s', (message, expected) => {
  expect(outcome(message, { error: 'ESRCH' })).toMatchObject(expected);
});

test('a runner that was not released made none of its load, however long it pushed meanwhile', () => {
  const load = loadOfTwo();
  const lost = { cause: 'not-released', said: 'no answer' } as const;
  const runner = { id: runnerId(2), asked: () => 'hard' as const };
  const evidence = { runner, end: { signal: 'SIGKILL' as const }, load: lost, stop: undefined, writing: undefined, log: says('') };
  expect(outcomeOf(evidence, { numbers: 'pushed', ms: 21_000, stillMs: 0 }, load)).toMatchObject({ ...lost, lost: 0.5 });
  const told: LoadctlEvent[] = [];
  const clock = { stamp: () => 0, elapsed: () => 21_000, sleep: async () => {} };
  lossPolicy(load, { clock, emit: (event) => void told.push(event) })(runner, lost);
  expect(told).toEqual([{ type: 'runner-lost', runner: runnerId(2), end: lost, lost: 0.5, allowed: false }]);
});
