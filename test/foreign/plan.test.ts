import { expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';
import { profileOf } from './fleet.js';
import { type Form, nameOf } from './form.js';
import { endings } from './forms/endings.js';
import { loads } from './forms/loads.js';
import { options } from './forms/options.js';
import { thresholds } from './forms/thresholds.js';
import { type Foreseen, foresee } from './plan-oracle.js';
import { scriptOf, startServers } from './run-both.js';

/** What `plan --json` says of a script with a load of its own. */
interface Plan {
  readonly load?: { readonly vus: number; readonly duration: number };
  readonly scenarios?: Readonly<Record<string, { readonly executor: string; readonly vus: number }>>;
  readonly thresholds?: Readonly<Record<string, readonly string[]>>;
}

/** Scripts that k6 refuses before a load, or that it can say nothing of because their init code ends them. */
const unforeseen = [
  'externally-controlled.js',
  'json-import.js',
  'threshold-as-string.js',
  'unknown-metric.js',
  'wrong-stat.js',
  'missing-exec.js',
  'init-throws.js',
  'abort-in-init.js',
];

/** To loadctl `-e K6_ITERATIONS=4` is the script's alone; stock k6 2.2 hears it as an option, too, so it is no oracle for that. */
const planned = [...loads, ...options, ...thresholds, ...endings].filter(
  ({ script, as, archived, shell, fed }) =>
    typeof script === 'string' &&
    !unforeseen.includes(script) &&
    as !== 'what failed' &&
    [archived, shell, fed].every((own) => own === undefined),
);

async function ask(form: Form): Promise<{ readonly oracle: Foreseen | undefined; readonly plan: Plan; readonly code: number | null }> {
  const servers = await startServers(form);
  const env = form.env?.(servers) ?? {};
  const { url } = servers.site;
  const script = scriptOf(form);
  const place = workplace({ 'profiles/dev.yaml': profileOf(form, script, { url, env }) });
  const oracle = await foresee(script, { BASE_URL: url, ...form.laidOver?.alone, ...env });
  const { code, stdout } = await place.loadctl(['plan', '--env', 'dev', '--json']);
  return { oracle, plan: JSON.parse(stdout) as Plan, code };
}

function foreseenIn({ load, scenarios = {}, thresholds: listed = {} }: Plan): Foreseen {
  return {
    vus: load?.vus ?? Number.NaN,
    duration: load?.duration ?? Number.NaN,
    scenarios: Object.entries(scenarios)
      .map(([name, { executor, vus }]) => ({ name, executor, vus }))
      .sort((one, other) => (one.name < other.name ? -1 : 1)),
    thresholds: Object.entries(listed)
      .flatMap(([metric, list]) => list.map((one) => `${metric}: ${one}`))
      .sort(),
  };
}

test.each(planned.map((form) => [nameOf(form), form] as const))('plan foresees what k6 makes of %s', async (_, form) => {
  const { oracle, plan, code } = await ask(form);

  expect(oracle?.vus).toBeGreaterThan(0);
  expect(oracle?.duration).toBeGreaterThan(0);
  expect(code).toBe(form.ends === 104 ? 104 : 0);
  expect(foreseenIn(plan)).toEqual(oracle);
});

/** The oracle itself, against what stands in the scripts. */
test.each([
  ['shared-iterations.js', 7, 20_000, []],
  ['per-vu-iterations.js', 5, 20_000, []],
  ['constant-vus.js', 6, 1500, []],
  ['ramping-vus.js', 6, 1700, []],
  ['constant-arrival-rate.js', 12, 2000, ['dropped_iterations: count==0']],
  ['ramping-arrival-rate.js', 29, 2000, []],
  ['no-options.js', 1, 600_000, []],
  ['iterations-only.js', 1, 600_000, []],
  ['duration-only.js', 1, 1000, []],
  ['stages.js', 5, 1500, []],
  ['patient.js', 3, 1000, []],
  ['graceful-ramp.js', 3, 1000, []],
  ['several-scenarios.js', 8, 600_200, 4],
  ['delay-as-text.js', 3, 600_000, ['http_req_failed: rate<0.1']],
] as const)('k6 says of %s what stands in it', async (script, vus, duration, limits) => {
  const oracle = await foresee(scriptOf({ script, ends: 0 }), { BASE_URL: 'http://127.0.0.1' });

  expect(oracle).toMatchObject({ vus, duration });
  if (typeof limits === 'number') expect(oracle?.thresholds.length).toBe(limits);
  else expect(oracle?.thresholds).toEqual(limits);
});

test('what k6 itself cannot foresee is known', async () => {
  const asked = await Promise.all(unforeseen.map((script) => foresee(scriptOf({ script, ends: 0 }), { BASE_URL: 'http://127.0.0.1' })));
  expect(asked).toEqual(unforeseen.map(() => undefined));
});

test('at least 40 scripts are asked about', () => {
  expect(planned.length).toBeGreaterThanOrEqual(40);
});
