import { expect, test } from 'vitest';
import { expectedOf } from '../../src/phases/run/expected.js';
import { shapeOf } from '../../src/phases/run/test-shape.js';
import { withSecrets } from '../../src/plan/access.js';
import { least, load, planHere } from './profile-files.js';

/** What is expected of the runners of a test whose script exports these functions. */
function expected(functions: string[], options: object = {}) {
  const plan = planHere(load({ 'test.yaml': `${least}runners: {count: 4, readyTimeout: 5m}\n` }));
  const scenarios = { all: { executor: 'constant-vus', vus: 400, duration: '10m', gracefulStop: '30s' } };
  const inspection = { options: { scenarios, ...options }, maxVus: 400, functions, counters: [], complaints: [] };
  return expectedOf(plan, shapeOf(withSecrets(plan, { secrets: [] }), inspection));
}

const minute = 60_000;

test('runners may live as long as readiness, setup, load with its grace, and teardown take, and two minutes', () => {
  expect(expected(['default']).lifeMs).toBe((5 + 10.5 + 2) * minute);
  expect(expected(['default', 'setup', 'teardown'], { setupTimeout: '3m' }).lifeMs).toBe((5 + 3 + 10.5 + 1 + 2) * minute);
});

test('each has its share to carry', () => {
  expect(expected(['default']).needs).toMatchObject({ memoryBytes: 100 * 250_000 + 50_000_000 });
});
