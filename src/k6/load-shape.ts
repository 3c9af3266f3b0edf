import { LoadctlError } from '../core/errors.js';
import type { Milliseconds, PerSecond } from '../core/quantities.js';

/** The load that a profile asks for, for a script that leaves it open. */
export interface Load {
  /** VUs of the closed model; in the open model the most that may be used. */
  readonly vus?: number;
  readonly duration?: Milliseconds;
  /** Up at the beginning and down at the end, both inside `duration`. */
  readonly ramp?: Milliseconds;
  /** Iterations a second: the open model. */
  readonly rate?: PerSecond;
}

/**
 * k6 options that make this load. Without ramp and rate these are k6's own shortcuts; else one scenario `default`
 * (ramping-vus, constant-arrival-rate or ramping-arrival-rate).
 */
export function loadOptions(load: Load): Record<string, unknown> {
  const { vus = 1, duration, ramp, rate } = load;
  if (duration === undefined) return load.vus === undefined ? {} : { vus };
  const steadyMs = duration - 2 * (ramp ?? 0);
  if (rate === undefined) {
    if (ramp === undefined) return { vus, duration: span(duration) };
    return oneScenario({ executor: 'ramping-vus', startVUs: 0, stages: trapezoid(vus, ramp, steadyMs) });
  }
  const [perUnit, timeUnit] = wholeRate(rate);
  const pool = { preAllocatedVUs: vus, maxVUs: vus, timeUnit };
  if (ramp === undefined) return oneScenario({ executor: 'constant-arrival-rate', rate: perUnit, duration: span(duration), ...pool });
  return oneScenario({ executor: 'ramping-arrival-rate', startRate: 0, stages: trapezoid(perUnit, ramp, steadyMs), ...pool });
}

/**
 * Each runner's share of k6's `rps`, which caps one process: whole numbers that add up to it; none where there is no
 * cap. Throws `invalid-profile` where a share would be 0, which means no cap.
 */
export function shareOutRps(rps: unknown, count: number): readonly number[] {
  if (typeof rps !== 'number' || rps <= 0) return [];
  if (rps < count) {
    throw new LoadctlError('invalid-profile', `The option rps: ${rps} cannot be shared out among ${count} runners.`, {
      hint: `Use at most ${rps} runners (runners.count), or set the rate in a scenario.`,
    });
  }
  return Array.from({ length: count }, (_, index) => Math.floor(((index + 1) * rps) / count) - Math.floor((index * rps) / count));
}

function oneScenario(scenario: Record<string, unknown>): Record<string, unknown> {
  return { scenarios: { default: scenario } };
}

function trapezoid(target: number, rampMs: Milliseconds, steadyMs: Milliseconds): { duration: string; target: number }[] {
  return [
    { duration: span(rampMs), target },
    { duration: span(steadyMs), target },
    { duration: span(rampMs), target: 0 },
  ];
}

function span(ms: Milliseconds): string {
  return `${Math.round(ms)}ms`;
}

/** k6 takes a whole number of iterations per time unit: 0.5/s is 30 a minute. */
function wholeRate(rate: PerSecond): [number, string] {
  const units = [
    [1, '1s'],
    [60, '1m'],
    [3600, '1h'],
  ] as const;
  const [seconds, unit] = units.find(([length]) => Math.abs(rate * length - Math.round(rate * length)) < 1e-9) ?? [3600, '1h'];
  return [Math.max(1, Math.round(rate * seconds)), unit];
}
