import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDuration } from '../../src/core/quantities.js';
import { k6, temporaryFolder } from './bare.js';

/** What k6 makes of a script's load and thresholds before it runs it. */
export interface Foreseen {
  readonly vus: number;
  /** Milliseconds until the last scenario is over, the grace at its end apart. */
  readonly duration: number;
  readonly scenarios: readonly { readonly name: string; readonly executor: string; readonly vus: number }[];
  /** `metric: expression`, sorted. */
  readonly thresholds: readonly string[];
}

type Scenario = Readonly<Record<string, unknown>> & { readonly executor: string; readonly exec?: string | null };

interface Inspected {
  readonly maxVUs: number;
  readonly totalDuration: string;
  readonly scenarios: Readonly<Record<string, Scenario>>;
  readonly thresholds: Readonly<Record<string, readonly (string | { readonly threshold: string })[] | null>> | null;
}

type Env = Readonly<Record<string, string>>;

/** Asks k6; undefined where it cannot say, because the script cannot be read or throws. */
export async function foresee(script: string, env: Env): Promise<Foreseen | undefined> {
  const inspected = await inspect(script, env);
  if (inspected === undefined) return undefined;
  const { scenarios, thresholds } = inspected;
  const whole = await inspectScenarios(scenarios);
  const apart = await Promise.all(
    Object.entries(scenarios).map(async ([name, one]) => ({
      name,
      executor: one.executor,
      vus: (await inspectScenarios({ [name]: one })).maxVUs,
    })),
  );
  return {
    vus: inspected.maxVUs,
    duration: parseDuration(whole.totalDuration) ?? Number.NaN,
    scenarios: apart.sort((one, other) => (one.name < other.name ? -1 : 1)),
    thresholds: Object.entries(thresholds ?? {})
      .flatMap(([metric, list]) => (list ?? []).map((one) => `${metric}: ${typeof one === 'string' ? one : one.threshold}`))
      .sort(),
  };
}

/** `{iterations: 10}` without vus is one VU to `k6 run`, and an error to `k6 inspect` unless it is told so. */
async function inspect(script: string, env: Env): Promise<Inspected | undefined> {
  const args = ['inspect', '--include-system-env-vars', '--execution-requirements', script];
  const first = await k6(args, env);
  const said =
    first.code === 0 || !first.stderr.includes('the number of VUs must be more than 0') ? first : await k6(args, { ...env, K6_VUS: '1' });
  return said.code === 0 ? (JSON.parse(said.stdout) as Inspected) : undefined;
}

/** The same scenarios in a module of their own, without the grace at their end: k6 counts it into the total. */
async function inspectScenarios(scenarios: Readonly<Record<string, Scenario>>): Promise<Inspected> {
  const bare = Object.entries(scenarios).map(([name, { gracefulStop, gracefulRampDown, exec, ...rest }]) => {
    const said = Object.entries(rest).filter(([, value]) => value !== null);
    return [
      name,
      { ...Object.fromEntries(said), gracefulStop: '0s', ...(rest.executor === 'ramping-vus' ? { gracefulRampDown: '0s' } : {}) },
    ];
  });
  const script = join(temporaryFolder('foreign-scenarios-'), 'scenarios.js');
  writeFileSync(
    script,
    `export const options = ${JSON.stringify({ scenarios: Object.fromEntries(bare) })};\nexport default function () {}\n`,
  );
  const inspected = await inspect(script, {});
  if (inspected === undefined) throw new Error(`k6 does not take its own scenarios back: ${JSON.stringify(scenarios)}`);
  return inspected;
}
