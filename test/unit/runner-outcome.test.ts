import { expect, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { liveNumbers } from '../../src/metrics/live-numbers.js';
import { type EndEvidence, outcomeOf } from '../../src/phases/run/outcomes.js';
import { foreseenLoad } from '../../src/plan/inspection.js';
import { least, load, planHere } from './profile-files.js';

const scenarios = { only: { executor: 'constant-vus', vus: 4, duration: '20s' } };
const says = (message: string) => ({ errors: [{ level: 'error', message, byScript: false }], markedFailed: false });

/** What comes of a runner whose k6 said that its test was interrupted and stayed for more than a second, by its log and its end. */
function outcome(message: string, end: EndEvidence['end']) {
  const plan = planHere(load({ 'test.yaml': `${least}runners: {count: 2}\n` }));
  const so = { plan, test: { load: foreseenLoad({ options: { scenarios }, maxVus: 4 }) }, live: { numbers: liveNumbers() }, releasedAt: 0 };
  const runner = { id: runnerId(1), asked: () => 'hard' as const };
  const evidence = { runner, end, load: { cause: 'aborted' as const }, stop: undefined, writing: undefined, log: says(message) };
  return outcomeOf(evidence, { numbers: 'own', ms: 5000, stillMs: 0 }, so);
}

test.each([
  ['test aborted: enough', { cause: 'aborted', said: 'test.abort(): enough' }],
  ['error building browser', { cause: 'aborted', said: 'error building browser' }],
  ["test run was aborted because k6 received a 'terminated' signal", { cause: 'ended-outside' }],
])('who ended a test that was interrupted is told by k6’s log, however long it writes: %s', (message, expected) => {
  expect(outcome(message, { error: 'ESRCH' })).toMatchObject(expected);
});
