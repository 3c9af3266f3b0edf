import type { MonitorLine } from '../../core/monitors.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { repeat } from '../../core/timer.js';
import { drainOf } from '../../metrics/servers/drain.js';
import { linesBySource, valuesMeant } from '../../metrics/servers/monitor.js';
import { addUp, type Stretch, seriesOf } from '../../metrics/servers/series.js';
import type { Plan } from '../../plan/plan.js';

/** Follows the queues whose time to drain is limited. */
export interface DrainWatch {
  take(line: MonitorLine): void;
  /**
   * Resolves when all are drained, when a look after its limit has shown that one is not, or at the signal; where nobody answers, two
   * intervals after the longest limit.
   */
  wait(load: Stretch, until: { readonly clock: Clock; readonly signal: AbortSignal }): Promise<void>;
}

const everyMs: Milliseconds = 200;

/** The {@link DrainWatch} of a plan; it waits for nothing where no limit is about that. */
export function drainWatch({ criteria, judgedMonitors }: Pick<Plan, 'criteria' | 'judgedMonitors'>): DrainWatch {
  const limits = criteria.flatMap(({ source, metric, limit }) =>
    source !== 'server'
      ? []
      : valuesMeant(metric, judgedMonitors).flatMap((given) => (given.value.reading.from === 'drain' ? [{ ...given, limit }] : [])),
  );
  const watched = new Set(limits.map(({ monitor }) => monitor.name));
  const lines: MonitorLine[] = [];
  const isKnown = (load: Stretch) => {
    const known = linesBySource(lines);
    return limits.every(({ monitor, value, limit }) => {
      const parts = [...(known.get(monitor.name)?.values() ?? [])].map((own) => seriesOf(own, value.reading, monitor.every));
      const drained = drainOf(addUp(parts), load);
      return drained !== undefined && (drained.isOver || drained.ms > limit);
    });
  };
  return {
    take: (line) => {
      if (watched.has(line.monitor)) lines.push(line);
    },
    wait: async (load, { clock, signal }) => {
      if (limits.length === 0) return;
      const longest = Math.max(...limits.map(({ limit, monitor }) => limit + 2 * monitor.every));
      const over = new AbortController();
      const end = AbortSignal.any([over.signal, signal]);
      const begun = clock.elapsed();
      const look = () => {
        if (isKnown(load) || clock.elapsed() - begun >= longest) over.abort();
      };
      look();
      await repeat(clock, everyMs, end, look);
    },
  };
}
