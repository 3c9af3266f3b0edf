import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fleetPlace, loadOf } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

const shim = fileURLToPath(new URL('../fixtures/clock/set-clock.cjs', import.meta.url));

test.each([
  ['an hour back', -3_600_000, 'jumped 1h back'],
  ['two minutes ahead', 120_000, 'jumped 2m ahead'],
])('a wall clock that is set %s in the middle changes nothing that is measured', async (_, stepMs, says) => {
  const target = await startTarget();
  const at = fleetPlace(target, {
    workload: 'vus: 4, duration: 8s, steady: 4s..8s',
    profile: 'sla: {errors: < 1%, availability: 99%, throughput: 10/s}',
  });
  at.file('profiles/dev.yaml', at.read('profiles/dev.yaml').replace('"}\n', '", health: /healthz}\n'));
  const run = at.start(['run', '--env', 'dev'], { NODE_OPTIONS: `--require ${shim}`, LOADCTL_TEST_STEP_MS: String(stepMs) });
  await at.event(loadOf(3000));
  run.process.kill('SIGUSR2');
  await at.event(loadOf(4500));
  target.statuses.set('/work', 500).set('/healthz', 500);

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(said.stderr).toContain(says);
  const probes = at.events().filter(({ type }) => type === 'health-probed');
  expect(probes.length).toBeGreaterThanOrEqual(7);
  expect(probes.length).toBeLessThanOrEqual(11);
  const ended = at.events().find(({ type }) => type === 'load-ended');
  expect(ended?.elapsedMs).toBeGreaterThan(7500);
  expect(ended?.elapsedMs).toBeLessThan(11_000);
  const criteria = at.verdict() as unknown as { criteria: { name: string; outcome: string; actual: number }[] };
  expect(criteria.criteria.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['errors', 'fail'],
    ['availability', 'fail'],
    ['throughput', 'pass'],
  ]);
  for (const file of ['timeseries.ndjson', 'generators.ndjson']) {
    const lines = readFileSync(join(at.latestRun(), file), 'utf8').trim().split('\n');
    const times = lines.map((line) => (JSON.parse(line) as { t: number }).t);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.length).toBeGreaterThan(6);
  }
  expect((await at.loadctl(['verify'])).code).toBe(99);
});

test('a wall clock that is set back on a runner’s machine leaves the judged window where it is', async () => {
  const target = await startTarget();
  target.statuses.set('/bad', 500);
  const script = `const now = Date.now;
export default () => {
  const late = exec.instance.currentTestRunDuration > 2000;
  if (late) Date.now = () => now() - 3600000;
  http.get(__ENV.BASE_URL + (late ? '/bad' : '/work'));
  sleep(0.05);
};`;
  const at = fleetPlace(target, { script, workload: 'vus: 4, duration: 5s, steady: 1s..4s', profile: 'sla: {errors: < 1%}' });

  const said = await at.loadctl(['run', '--env', 'dev']);

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  const { criteria } = at.verdict() as unknown as { criteria: { actual: number }[] };
  expect(criteria[0]?.actual).toBeGreaterThan(0.5);
});
