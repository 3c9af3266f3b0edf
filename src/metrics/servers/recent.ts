import type { Criterion } from '../../core/criterion.js';
import type { MonitorLine, ServerSample } from '../../core/monitors.js';
import type { Milliseconds } from '../../core/quantities.js';
import { decide, exactly } from '../evaluate.js';
import { type GivenValue, type JudgedMonitor, linesBySource, valuesMeant } from './monitor.js';
import { addUp, type Series, seriesOf } from './series.js';
import { isUpper } from './statistic.js';

/** What monitors told in the last while. */
export interface RecentLines {
  take(line: MonitorLine): void;
  /** What a limit for the servers stands at now, at the worst source; undefined where nobody knows. */
  sampleOf(limit: Criterion, now: Milliseconds): ServerSample | undefined;
}

/** A counter's rate over a moment shorter than this is chance. */
const shortestMs: Milliseconds = 2000;

/** Remembers of each monitor what its latest values are made of. */
export function recentLines(monitors: readonly JudgedMonitor[]): RecentLines {
  const kept = new Map(monitors.map(({ name }) => [name, [] as MonitorLine[]]));
  const keptMs = new Map(monitors.map((monitor) => [monitor.name, spanOf(monitor) * 2]));
  return {
    take(line) {
      const lines = kept.get(line.monitor);
      if (lines === undefined) return;
      lines.push(line);
      const oldest = line.t - (keptMs.get(line.monitor) ?? 0);
      while ((lines[0]?.t ?? oldest) < oldest) lines.shift();
    },
    sampleOf(limit, now) {
      const values = valuesMeant(limit.metric, monitors).filter(({ value }) => value.reading.from !== 'drain');
      const found = values.flatMap((given) => latest(given, kept.get(given.monitor.name) ?? [], now));
      const sign = isUpper(limit) ? 1 : -1;
      const [worst] = found.sort((a, b) => sign * (b.value - a.value));
      if (worst === undefined) return undefined;
      return { limit, ...worst, holds: decide(limit.operator, limit.limit, exactly(worst.value)) === 'pass' };
    },
  };
}

function spanOf({ every }: JudgedMonitor): Milliseconds {
  return Math.max(shortestMs, 2 * every);
}

type Latest = Pick<ServerSample, 'value' | 'monitor' | 'source'>;

function latest({ monitor, value }: GivenValue, lines: readonly MonitorLine[], now: Milliseconds): Latest[] {
  const sources = linesBySource(lines).get(monitor.name) ?? new Map<string, readonly MonitorLine[]>();
  const all = [...sources].map(([source, own]) => ({ source, ...seriesOf(own, value.reading, monitor.every) }));
  if (value.adds) {
    const sum = valueNow(addUp(all), now, { monitor, value });
    const [only] = all.length === 1 ? all : [];
    return sum === undefined ? [] : [{ monitor: monitor.name, value: sum, ...(only && { source: only.source }) }];
  }
  return all.flatMap((series) => {
    const one = valueNow(series, now, { monitor, value });
    return one === undefined ? [] : [{ monitor: monitor.name, source: series.source, value: one }];
  });
}

/** A gauge's last value while it counts; of a counter what it grew by in the last moment. */
function valueNow({ segments }: Series, now: Milliseconds, { monitor, value }: Pick<GivenValue, 'monitor' | 'value'>): number | undefined {
  const last = segments.at(-1);
  if (last === undefined) return undefined;
  if (last.grew === undefined) return last.to >= now ? last.value : undefined;
  const recent = segments.filter(({ to }) => to > last.to - shortestMs);
  if (last.to < now - 2 * monitor.every) return undefined;
  const [of, by] = recent.reduce(([a, b], { grew }) => [a + (grew?.of ?? 0), b + (grew?.by ?? 0)], [0, 0]);
  if (value.reading.from === 'growth') return of;
  return by > 0 ? of / by : undefined;
}
