import type { RunnerId } from '../../core/ids.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import type { Runner } from '../../runners/runner/types.js';

/** A runner as far as it is asked for what its metrics are called. */
type Asked = Pick<Runner, 'id'> & { readonly api: Pick<Runner['api'], 'metric'> };

/** Asks, once for each, whether a metric is itself called as it is on the wire, where its name does not tell; usually there is none. */
export function nameAsker(
  runners: readonly Asked[],
  numbers: Pick<LiveNumbers, 'unsure' | 'settle'>,
): (expected: readonly RunnerId[]) => Promise<void> {
  return async (expected) => {
    const asked = [...numbers.unsure()].map(async ([name, by]) => {
      const runner = runners.find(({ id }) => id === by && expected.includes(id));
      if (runner === undefined) return;
      // Who does not answer is asked again: undefined is an answer, there is no such metric.
      const answer = await runner.api.metric(name).catch(() => 'none' as const);
      if (answer !== 'none') numbers.settle(name, answer !== undefined);
    });
    await Promise.all(asked);
  };
}
