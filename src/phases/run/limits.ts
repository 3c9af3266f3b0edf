import type { Crossing } from '../../core/criterion.js';
import type { Emit } from '../../core/events.js';
import type { RunnerId } from '../../core/ids.js';
import { abortWatch, type LiveLook } from '../../metrics/abort-watch.js';
import { formatLimit } from '../../metrics/limit-text.js';
import { limitsNow } from '../../metrics/limits-now.js';
import { tagsIn } from '../../metrics/metric-key.js';
import type { RateCounts } from '../../metrics/rate-counts.js';
import type { RunContext } from '../frame/context.js';
import { rateAsker } from '../watch/ask-rates.js';
import { breachTeller } from '../watch/watch-breaches.js';
import type { Attempt } from './attempt.js';
import type { ReadyFleet } from './get-ready.js';
import type { PreparedTest } from './prepare.js';

/** What ends a test before its time: the script's `abortOnFail` and the plan's `abort`, on the fleet's live data. */
export interface Limits {
  /** Whether one is crossed; one that the live data could not tell for a while is told. */
  readonly watch: (look: LiveLook) => Crossing | undefined;
  /** What pushes do not tell of the rates that limits are about, from the runners whose load is not over. */
  /** The load is over: limits that are broken still are told to be so no more. */
  readonly close: () => void;
  /** Hears of what else is known of the target. */
  readonly heard: Emit;
  readonly rates: (expected: readonly RunnerId[]) => Promise<RateCounts>;
}

/** The {@link Limits} of this test. */
export function limitsOf({ context: { plan, emit }, test, servers }: Attempt, { runners, live }: ReadyFleet): Limits {
  const watch = abortWatch(test.own, plan.abort);
  const told = new Set<string>();
  const now = limitsNow(plan, test.own);
  const breaches = breachTeller(plan, emit);
  const ofServers = [...plan.criteria, ...plan.abort.map(({ when }) => when)].filter(({ source }) => source === 'server');
  const known = new Map(ofServers.map((limit) => [`${limit.metric} ${formatLimit(limit)}`, limit]));
  const rates = rateAsker(runners, live.numbers, watch.metrics);
  return {
    rates,
    close: breaches.close,
    heard: breaches.heard,
    watch: (fleet) => {
      const look = { ...fleet, server: servers.sampleOf };
      const crossing = watch.look(look);
      const samples = [...known.values()].flatMap((limit) => servers.sampleOf(limit) ?? []);
      if (samples.length > 0) emit({ type: 'servers-sampled', samples });
      const standing = now(look);
      if (standing.length > 0) emit({ type: 'limits-sampled', limits: standing });
      breaches.look(look);
      for (const limit of watch.neverTold()) {
        if (told.has(limit.name)) continue;
        told.add(limit.name);
        emit({ type: 'warned', code: 'limit-not-watched', limit });
      }
      return crossing;
    },
  };
}

/** The names of requests that limits are about, and that the mix has: they are kept apart however many there are. */
export function namesOfInterest({ plan }: RunContext, { own }: PreparedTest): ReadonlySet<string> {
  const keys = [...Object.keys(own), ...plan.criteria.map(({ metric }) => metric), ...plan.abort.map(({ when }) => when.metric)];
  return new Set([...plan.endpoints.map(({ name }) => name), ...keys.flatMap((key) => tagsIn(key).name ?? [])]);
}
