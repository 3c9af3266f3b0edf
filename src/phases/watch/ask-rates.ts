import type { RunnerId } from '../../core/ids.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import type { LiveTotal } from '../../metrics/live-total.js';
import { amongRates, type CountedCheck, countChecks, isCountable, type RateCounts } from '../../metrics/rate-counts.js';
import type { Runner } from '../../runners/runner/types.js';

/** A runner as far as its rates are asked for. */
type Asked = Pick<Runner, 'id'> & { readonly api: Pick<Runner['api'], 'checks' | 'rate'> };

/**
 * Asks runners for what they do not push: a rate that several groups or tags share is pushed as the shares of each. Checks
 * are counted, by k6's groups; of any other rate each runner knows the whole. Nothing is asked where the pushes tell enough;
 * of a runner that does not answer, its last answer counts.
 */
export function rateAsker(
  runners: readonly Asked[],
  numbers: Pick<LiveNumbers, 'total'>,
  metrics: readonly string[],
): (expected: readonly RunnerId[]) => Promise<RateCounts> {
  const checks = new Map<RunnerId, readonly CountedCheck[]>();
  const rates = new Map<string, Map<RunnerId, number>>();
  const askRate = async ({ id, api }: Asked, key: string) => {
    const rate = await api.rate(key).catch(() => undefined);
    if (rate !== undefined) rates.set(key, (rates.get(key) ?? new Map<RunnerId, number>()).set(id, rate));
  };
  const askChecks = async ({ id, api }: Asked) => {
    const counted = await api.checks().catch(() => undefined);
    if (counted !== undefined) checks.set(id, counted);
  };
  const found = (key: string): LiveTotal | undefined =>
    isCountable(key) ? countChecks(key, [...checks.values()].flat()) : amongRates([...(rates.get(key)?.values() ?? [])]);
  return async (expected) => {
    const unclear = metrics.filter((key) => isUnclear(numbers.total(key)));
    if (unclear.length === 0) return new Map();
    const asked = runners.filter(({ id }) => expected.includes(id));
    await Promise.all([
      ...(unclear.some(isCountable) ? asked.map(askChecks) : []),
      ...unclear.filter((key) => !isCountable(key)).flatMap((key) => asked.map((runner) => askRate(runner, key))),
    ]);
    return new Map(unclear.flatMap((key) => [[key, found(key)] as const]).flatMap(([key, total]) => (total ? [[key, total]] : [])));
  };
}

function isUnclear(total: LiveTotal | undefined): boolean {
  return total?.kind === 'share' && total.low < total.high;
}
