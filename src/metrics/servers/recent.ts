import type { Criterion } from '../../core/criterion.js';
import type { MonitorLine, ServerSample } from '../../core/monitors.js';
import type { Milliseconds } from '../../core/quantities.js';
import { decide, exactly } from '../evaluate.js';
import { type GivenValue, type JudgedMonitor, linesBySource, valuesMeant } from './monitor.js';
import { addUp, type Series, type Stretch, seriesOf } from './series.js';
import { isUpper, statisticOf } from './statistic.js';

/** What monitors told in the last while. */
export interface RecentLines {
  take(line: MonitorLine): void;
  /**
   * What a limit for the servers comes to over the last `overMs`, by its own statistic and at the worst source; over no time at all it is
   * what was told last. Undefined where nobody knows what it stands at now.
   */
  sampleOf(limit: Criterion, now: Milliseconds, overMs?: Milliseconds): ServerSample | undefined;
}

/** Limits are looked at over the last seconds, so many at most. */
export const recentMs: Milliseconds = 10_000;
/** A counter's rate over a moment shorter than this is chance. */
const shortestMs: Milliseconds = 2000;

/** Remembers of each monitor what its latest values are made of. */
export function recentLines(monitors: readonly JudgedMonitor[]): RecentLines {
  const kept = new Map(monitors.map(({ name }) => [name, [] as MonitorLine[]]));
  const keptMs = new Map(monitors.map(({ name, every }) => [name, recentMs + 4 * every]));
  return {
    take(line) {
      const lines = kept.get(line.monitor);
      if (lines === undefined) return;
      lines.push(line);
      // One part of a queue may be looked at less often than the others.
      const keep = Math.max(keptMs.get(line.monitor) ?? 0, recentMs + 4 * (line.everyMs ?? 0));
      keptMs.set(line.monitor, keep);
      const oldest = line.t - keep;
      while ((lines[0]?.t ?? oldest) < oldest) lines.shift();
    },
    sampleOf(limit, now, overMs = 0) {
      const values = valuesMeant(limit.metric, monitors).filter(({ value }) => value.reading.from !== 'drain');
      const span = { from: now - overMs, to: now };
      const found = values.flatMap((given) => standings(given, kept.get(given.monitor.name) ?? [], limit, span));
      const sign = isUpper(limit) ? 1 : -1;
      const [worst] = found.sort((a, b) => sign * (b.value - a.value));
      if (worst === undefined) return undefined;
      return { limit, ...worst, holds: decide(limit.operator, limit.limit, exactly(worst.value)) === 'pass' };
    },
  };
}

type Standing = Pick<ServerSample, 'value' | 'monitor' | 'source' | 'everyMs'>;

/** What each source of a value comes to, or all of them together. */
function standings({ monitor, value }: GivenValue, lines: readonly MonitorLine[], limit: Criterion, span: Stretch): Standing[] {
  const sources = linesBySource(lines).get(monitor.name) ?? new Map<string, readonly MonitorLine[]>();
  const all = [...sources].map(([source, own]) => ({ source, own, ...seriesOf(own, value.reading, monitor.every) }));
  const everyMs = Math.max(monitor.every, ...all.map(({ own }) => own.at(-1)?.everyMs ?? 0));
  const comesTo = (series: Series) => over(series, span, limit, { monitor, value });
  if (value.adds) {
    const sum = comesTo(addUp(all));
    const [only] = all.length === 1 ? all : [];
    return sum === undefined ? [] : [{ monitor: monitor.name, value: sum, ...(only && { source: only.source }), everyMs }];
  }
  return all.flatMap((series) => {
    const one = comesTo(series);
    return one === undefined ? [] : [{ monitor: monitor.name, source: series.source, value: one, everyMs }];
  });
}

/** The statistic over a stretch that ends now; where that holds nothing whole, what was told last. */
function over(
  series: Series,
  span: Stretch,
  { stat, operator }: Criterion,
  given: Pick<GivenValue, 'monitor' | 'value'>,
): number | undefined {
  const last = valueNow(series, span.to, given);
  return last === undefined ? undefined : (statisticOf(series.segments, given.value.reading, { stat, operator }, span) ?? last);
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
