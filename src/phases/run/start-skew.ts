import type { Milliseconds } from '../../core/quantities.js';
import { beginMetric } from '../../k6/wrapper.js';
import type { Runner } from '../../runners/runner/types.js';
import type { RunnerNumbers } from './stand-ins.js';

/** A runner, and its numbers where it left some. */
interface Begun {
  readonly runner: Pick<Runner, 'hostFacts'>;
  readonly numbers: Pick<RunnerNumbers, 'summary'> | undefined;
}

/**
 * How far apart the first iterations of the runners began. Each noted the time by the clock of its own host, which may be
 * wrong. Undefined where fewer than two of them tell.
 */
export function startSkew(runners: readonly Begun[]): Milliseconds | undefined {
  const begins = runners.flatMap(({ runner, numbers }) => {
    const metric = numbers?.summary.metrics[beginMetric];
    if (metric?.type !== 'gauge' || metric.min === undefined) return [];
    return [metric.min - (runner.hostFacts?.clockOffsetMs ?? 0)];
  });
  return begins.length > 1 ? Math.max(...begins) - Math.min(...begins) : undefined;
}
