import type { RunnerId } from '../../core/ids.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import type { LiveTotal } from '../../metrics/live-total.js';
import {
  type AskedMetric,
  amongRunners,
  type CountedCheck,
  countChecks,
  countedRate,
  counterBeside,
  isCountable,
  type RateCounts,
} from '../../metrics/rate-counts.js';
import type { Runner } from '../../runners/runner/types.js';

/** A runner as far as it is asked for what it measured. */
type Asked = Pick<Runner, 'id'> & { readonly api: Pick<Runner['api'], 'checks' | 'metric'> };

/**
 * Asks runners for what their pushes do not tell: a rate that several groups or tags share is pushed as the shares of each, and
 * where there are too many series further ones are left out. Checks are counted, by k6's groups; of any other metric each runner
 * knows the whole. Nothing is asked where the pushes tell enough; of a runner that does not answer, its last answer counts.
 */
export function rateAsker(
  runners: readonly Asked[],
  numbers: Pick<LiveNumbers, 'total' | 'excess'>,
  metrics: readonly string[],
): (expected: readonly RunnerId[]) => Promise<RateCounts> {
  const checks = new Map<RunnerId, readonly CountedCheck[]>();
  const answers = new Map<string, Map<RunnerId, AskedMetric>>();
  const answersTo = (key: string | undefined) => (key === undefined ? undefined : answers.get(key));
  const askMetric = async ({ id, api }: Asked, key: string) => {
    const answer = await api.metric(key).catch(() => undefined);
    if (answer !== undefined) answers.set(key, (answers.get(key) ?? new Map<RunnerId, AskedMetric>()).set(id, answer));
  };
  const askChecks = async ({ id, api }: Asked) => {
    const counted = await api.checks().catch(() => undefined);
    if (counted !== undefined) checks.set(id, counted);
  };
  const found = (key: string): LiveTotal | undefined => {
    if (isCountable(key)) return countChecks(key, [...checks.values()].flat());
    const [own, counters] = [[...(answersTo(key) ?? [])], answersTo(counterBeside(key))];
    const counted = own.flatMap(([id, rate]) => [counters?.get(id)].flatMap((counter) => (counter ? [{ rate, counter }] : [])));
    return (counted.length === own.length ? countedRate(counted) : undefined) ?? amongRunners(own.map(([, answer]) => answer));
  };
  const keys = [...new Set(metrics.map((metric) => (metric === 'availability' ? 'http_req_failed' : metric)))];
  return async (expected) => {
    const isLeftOut = numbers.excess.ignored > 0;
    const unclear = keys.filter((key) => isLeftOut || isUnclear(numbers.total(key)));
    if (unclear.length === 0) return new Map();
    const asked = runners.filter(({ id }) => expected.includes(id));
    const wanted = unclear.filter((key) => !isCountable(key)).flatMap((key) => [key, counterBeside(key) ?? []].flat());
    await Promise.all([
      ...(unclear.some(isCountable) ? asked.map(askChecks) : []),
      ...[...new Set(wanted)].flatMap((key) => asked.map((runner) => askMetric(runner, key))),
    ]);
    return new Map(unclear.flatMap((key) => [[key, found(key)] as const]).flatMap(([key, total]) => (total ? [[key, total]] : [])));
  };
}

function isUnclear(total: LiveTotal | undefined): boolean {
  return total?.kind === 'share' && total.low < total.high;
}
