import { expect, test } from 'vitest';
import { fleetPlace } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

test('a runner that works on its numbers gets the time that it takes', async () => {
  const target = await startTarget();
  const script = `const trends = [...Array(1400).keys()].map((n) => new Trend('trend_' + n));
export const options = { vus: 2, iterations: 2 };
export default () => { for (const trend of trends) for (let n = 0; n < 2; n += 1) trend.add(n); };
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }`;
  const at = fleetPlace(target, { script, workload: '', runners: 'count: 1' });

  const said = await at.loadctl(['run', '--env', 'dev']);

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  expect(at.events().filter(({ type }) => type === 'runner-ended')).toMatchObject([{ cause: 'reached-end', numbers: 'own', lost: 0 }]);
  expect(at.summary().metrics.trend_1399?.values.count).toBe(4);
});

test('a fleet that is busier than its machine is judged by its numbers and its CPU, and nobody is lost', async () => {
  const target = await startTarget();
  const script = `export default () => { const begun = Date.now(); while (Date.now() - begun < 20); http.get(__ENV.BASE_URL + '/work'); };`;
  const at = fleetPlace(target, { script, workload: 'vus: 3000, duration: 10s' });

  const said = await at.loadctl(['run', '--env', 'dev']);

  // Where the machine is busy with others as well, that is a warning.
  expect([0, 111], said.stdout + said.stderr).toContain(said.code);
  expect(said.stdout + said.stderr).toMatch(/above 90% CPU/);
  expect(said.stdout + said.stderr).not.toContain('lost');
  expect(at.events().filter(({ type }) => type === 'runner-ended')).toMatchObject([
    { runner: '1', cause: 'reached-end', numbers: 'own' },
    { runner: '2', cause: 'reached-end', numbers: 'own' },
  ]);
});
