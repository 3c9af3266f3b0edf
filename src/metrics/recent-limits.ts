import type { Criterion } from '../core/criterion.js';
import type { Milliseconds } from '../core/quantities.js';
import type { LiveLook } from './abort-watch.js';
import type { LimitNow } from './breaches.js';
import { decide, readStat } from './evaluate.js';
import { type LiveTotal, readTotal, totalSince } from './live-total.js';

/** How much of the judged window a look at the clients' limits is about. */
const recentMs: Milliseconds = 10_000;

interface Seen {
  readonly at: Milliseconds;
  readonly total: LiveTotal | undefined;
}

/** How the limits for the clients stand over the last seconds of the judged window; call it once a second of it. */
export function recentLimits(criteria: readonly Criterion[]): (look: LiveLook) => LimitNow[] {
  const watched = criteria
    .filter(({ source, metric }) => source === 'client' && metric !== 'availability')
    .map((limit) => ({ limit, seen: [] as Seen[] }));
  return (look) => watched.map(({ limit, seen }) => standing(limit, seen, look));
}

function standing(limit: Criterion, seen: Seen[], look: LiveLook): LimitNow {
  const { elapsedMs: at } = look;
  const total = look.inIterations(limit.metric);
  seen.push({ at, total });
  while ((seen[1]?.at ?? at) <= at - recentMs) seen.shift();
  const [before] = seen;
  // A count of the whole test is no matter of some seconds.
  if (total === undefined || before?.total === undefined || before.at === at || limit.stat === 'count') return { limit };
  const seconds = (at - before.at) / 1000;
  const span = look.seconds === undefined ? { low: 0, high: 0 } : { low: Math.max(0, seconds - 1), high: seconds + 1 };
  const actual = readStat(readTotal(totalSince(total, before.total), [limit.stat], span), limit.stat);
  return actual === undefined ? { limit } : { limit, actual, outcome: decide(limit.operator, limit.limit, actual) };
}

/** How the limit on the target's health stands: broken from the second missed probe in a row on. */
export function healthNow(limit: Criterion, missed: number): LimitNow {
  const share = missed > 0 ? 0 : 1;
  const outcome = missed >= 2 ? 'fail' : missed === 0 ? 'pass' : undefined;
  return { limit, atOnce: true, ...(outcome === undefined ? {} : { outcome, actual: { value: share, low: share, high: share } }) };
}
