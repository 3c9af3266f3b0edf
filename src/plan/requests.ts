import { own } from '../core/own.js';
import type { PerSecond, Share } from '../core/quantities.js';
import type { Profile } from '../profile/sections/schema.js';
import type { Draws } from './sections.js';

/** One kind of request of the workload. */
export interface PlannedEndpoint {
  /** The request's name: `GET /events`. */
  readonly name: string;
  /** How many of it the load makes; unknown where the profile does not say how many iterations there are. */
  readonly perSecond?: PerSecond;
  /** Whether it changes the target: POST, PUT, PATCH, DELETE. */
  readonly writes: boolean;
}

type Workload = Profile['workload'];

/** Iterations a second: of the open model as asked, of the closed one as the pacing lets through. */
export function iterationsPerSecond({ rate, vus, pacing }: Workload): PerSecond | undefined {
  if (rate !== undefined) return rate;
  return vus === undefined || pacing === undefined || pacing === 0 ? undefined : vus / (pacing / 1000);
}

/**
 * The requests of the workload by name, in the order that sessions and mix name them; then those that `endpoints` names
 * and no session makes: of a script that draws its requests by itself only the names are known.
 */
export function plannedEndpoints(workload: Workload): PlannedEndpoint[] {
  const iterations = iterationsPerSecond(workload);
  const drawn = requestsPerIteration(workload);
  const others = Object.values(workload.endpoints).filter((name) => !drawn.has(name));
  const rate = (times: number) => (iterations === undefined ? {} : { perSecond: exact(iterations * times) });
  return [
    ...[...drawn].map(([name, times]) => ({ name, ...rate(times), writes: isWrite(name) })),
    ...others.map((name) => ({ name, writes: isWrite(name) })),
  ];
}

/** Without the dust of binary fractions: 75, not 75.00000000000001. */
export function exact(rate: PerSecond): PerSecond {
  return Number(rate.toPrecision(12));
}

function isWrite(name: string): boolean {
  return /^(POST|PUT|PATCH|DELETE)\b/i.test(name);
}

/** Which share of the requests each name is to get; undefined where the profile gives neither sessions nor a mix. */
export function plannedShares(draws: Draws): Readonly<Record<string, Share>> | undefined {
  const drawn = requestsPerIteration(draws);
  const sum = [...drawn.values()].reduce((all, times) => all + times, 0);
  return sum > 0 ? Object.fromEntries([...drawn].map(([name, times]) => [name, times / sum])) : undefined;
}

function requestsPerIteration({ sessions, steps, mix, endpoints }: Draws): Map<string, number> {
  const totals = new Map<string, number>();
  const add = (name: string, times: number) => totals.set(name, (totals.get(name) ?? 0) + times);
  const reads = Object.entries(mix).map(([name, share]): [string, Share] => [own(endpoints, name) ?? name, share]);
  const whole = Object.keys(sessions).length > 0 ? Object.entries(sessions) : [['', 1] as const];
  for (const [session, share] of whole) {
    for (const step of steps[session] ?? ['read']) {
      if (step === 'read') for (const [name, part] of reads) add(name, share * part);
      else add(step, share);
    }
  }
  return totals;
}
