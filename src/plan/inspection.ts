import type { LoadctlError } from '../core/errors.js';
import { type Milliseconds, type PerSecond, parseDuration } from '../core/quantities.js';

/** Options in k6's words. */
export type K6Options = Readonly<Record<string, unknown>>;

/** What k6 itself says of a script with what the plan lays over it, before any of it runs. */
export interface Inspection {
  /** All options, as k6 normalised and completed them: every load is a scenario, every number a number. */
  readonly options: K6Options;
  /** The most VUs there are at once, by k6's reckoning. */
  readonly maxVus: number;
  /** Names of the functions that the script exports: `default`, `setup`, `handleSummary`… */
  readonly functions: readonly string[];
  /** Which of the counters that tell what was drawn the script has. */
  readonly counters: readonly string[];
  /** What k6 itself warned of meanwhile, in one line each. */
  readonly complaints: readonly string[];
}

/** What is known of a test before it runs, by k6's own inspection of its script. It is no part of a plan, nor of its hash. */
export type Foreseen = (ForeseenTest | Unforeseen) & {
  /** URLs of modules that k6 fetched to find it out. */
  readonly fetched: readonly string[];
};

/** A test that k6 could look at. */
export interface ForeseenTest {
  readonly inspection: Inspection;
  readonly load: ForeseenLoad;
}

/** A test of which nothing is known. */
export interface Unforeseen {
  /** A clause: `there is no k6 here yet`. */
  readonly because: string;
  /** What a run would end with for that; missing where it may well get further. */
  readonly error?: LoadctlError;
}

/** One scenario of a test. */
export interface Scenario {
  readonly name: string;
  readonly executor: string;
  /** The most VUs that it has at once. */
  readonly vus: number;
  readonly startMs: Milliseconds;
  /** How long it makes load at most; the grace at its end is not in it. */
  readonly durationMs: Milliseconds;
  /** The iterations that end it; missing where only time does. */
  readonly iterations?: number;
  /** Iterations a second at most; missing where VUs are as quick as the target lets them be. */
  readonly rate?: PerSecond;
  /** Whether iterations begin when they are due, whatever the target does. */
  readonly open: boolean;
}

/** The load of a whole test, from its scenarios. */
export interface ForeseenLoad {
  /** The most VUs there are at once. */
  readonly vus: number;
  /** Until the last scenario is over, the grace at its end apart. */
  readonly durationMs: Milliseconds;
  /** Iterations a second at most; missing where one of the scenarios has no bound. */
  readonly iterationsPerSecond?: PerSecond;
  /** Whether part of it is made in the open model. */
  readonly open: boolean;
  /** In the order of their names. */
  readonly scenarios: readonly Scenario[];
}

/** What load a test makes. */
export function foreseenLoad({ options, maxVus }: Pick<Inspection, 'options' | 'maxVus'>): ForeseenLoad {
  const least = milliseconds(options.minIterationDuration) ?? 0;
  const scenarios = Object.entries(fieldsOf(options.scenarios))
    .map(([name, fields]) => readScenario(name, fieldsOf(fields), least))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const iterationsPerSecond = peakRate(scenarios);
  return {
    vus: maxVus,
    durationMs: Math.max(0, ...scenarios.map(({ startMs, durationMs }) => startMs + durationMs)),
    ...(iterationsPerSecond === undefined ? {} : { iterationsPerSecond }),
    open: scenarios.some(({ open }) => open),
    scenarios,
  };
}

/** How long a test can last: until its last scenario is over, with the grace that iterations get at its end. */
export function longestMs({ options, load }: { readonly options: K6Options; readonly load: ForeseenLoad }): Milliseconds {
  const configs = fieldsOf(options.scenarios);
  const ends = load.scenarios.map(({ name, startMs, durationMs }) => {
    const { gracefulStop, gracefulRampDown } = fieldsOf(configs[name]);
    const graceMs = Math.max(milliseconds(gracefulStop) ?? usual.graceMs, milliseconds(gracefulRampDown) ?? 0);
    return startMs + durationMs + graceMs;
  });
  return Math.max(0, ...ends);
}

/** k6's own defaults, where a scenario leaves something out (lib/executor). */
const usual = { graceMs: 30_000, maxDurationMs: 600_000, timeUnitMs: 1000 } as const;

function readScenario(name: string, fields: K6Options, leastIterationMs: Milliseconds): Scenario {
  const executor = String(fields.executor ?? '');
  const { vus, durationMs, iterations, rate } = shapeOf(executor, fields);
  const bound = rate ?? (leastIterationMs > 0 ? (vus * 1000) / leastIterationMs : undefined);
  return {
    name,
    executor,
    vus,
    startMs: milliseconds(fields.startTime) ?? 0,
    durationMs,
    ...(iterations === undefined ? {} : { iterations }),
    ...(bound === undefined ? {} : { rate: bound }),
    open: rate !== undefined,
  };
}

type Shape = Pick<Scenario, 'vus' | 'durationMs' | 'iterations' | 'rate'>;

function shapeOf(executor: string, fields: K6Options): Shape {
  const number = (key: string, otherwise: number) => (typeof fields[key] === 'number' ? fields[key] : otherwise);
  const stages = (Array.isArray(fields.stages) ? fields.stages : []).map(fieldsOf);
  const targets = stages.map(({ target }) => (typeof target === 'number' ? target : 0));
  const stagesMs = stages.reduce((sum, { duration }) => sum + (milliseconds(duration) ?? 0), 0);
  const perSecond = 1000 / (milliseconds(fields.timeUnit) ?? usual.timeUnitMs);
  const pool = number('maxVUs', number('preAllocatedVUs', 0));
  switch (executor) {
    case 'shared-iterations':
    case 'per-vu-iterations': {
      const [vus, each] = [number('vus', 1), number('iterations', 1)];
      const durationMs = milliseconds(fields.maxDuration) ?? usual.maxDurationMs;
      return { vus, durationMs, iterations: executor === 'per-vu-iterations' ? vus * each : each };
    }
    case 'ramping-vus':
      return { vus: Math.max(number('startVUs', 1), ...targets), durationMs: stagesMs };
    case 'constant-arrival-rate':
      return { vus: pool, durationMs: milliseconds(fields.duration) ?? 0, rate: number('rate', 0) * perSecond };
    case 'ramping-arrival-rate':
      return { vus: pool, durationMs: stagesMs, rate: Math.max(number('startRate', 0), ...targets) * perSecond };
    default:
      return { vus: number('vus', 1), durationMs: milliseconds(fields.duration) ?? 0 };
  }
}

/** The most that scenarios make which are on at the same time. */
function peakRate(scenarios: readonly Scenario[]): PerSecond | undefined {
  if (scenarios.some(({ rate }) => rate === undefined)) return undefined;
  const at = (time: Milliseconds) =>
    scenarios.reduce((sum, one) => (one.startMs <= time && time < one.startMs + one.durationMs ? sum + (one.rate ?? 0) : sum), 0);
  return Math.max(0, ...scenarios.map(({ startMs }) => at(startMs)));
}

/** A duration as k6 writes it in its normalised options. */
export function milliseconds(value: unknown): Milliseconds | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseDuration(value) : undefined;
}

/** The fields of what should be an object; none of anything else. */
export function fieldsOf(value: unknown): K6Options {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
