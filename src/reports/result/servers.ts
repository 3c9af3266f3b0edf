import type { Criterion } from '../../core/criterion.js';
import type { MonitorLine } from '../../core/monitors.js';
import type { Milliseconds, Unit } from '../../core/quantities.js';
import { formatLimit } from '../../metrics/limit-text.js';
import { type GivenValue, type JudgedMonitor, type LinesBySource, valuesMeant } from '../../metrics/servers/monitor.js';
import { addUp, type Segment, type Stretch, seriesOf } from '../../metrics/servers/series.js';
import type { Column } from './columns.js';
import { grid } from './grid.js';

/** What the servers did, held against one limit. */
export interface ServerCourse {
  /** `cpu < 80%` */
  readonly title: string;
  readonly limit: number;
  readonly unit: Unit;
  /** One measure for each source. */
  readonly columns: readonly Column[];
}

/** The course of every value that a limit for the servers is about; `load` is by the run's `t`. */
export function serverCourses(
  { criteria, judgedMonitors = [] }: { readonly criteria: readonly Criterion[]; readonly judgedMonitors?: readonly JudgedMonitor[] },
  known: LinesBySource,
  load: Stretch,
): ServerCourse[] {
  return criteria.flatMap((criterion) => {
    if (criterion.source !== 'server') return [];
    const { name, limit, unit } = criterion;
    const given = valuesMeant(criterion.metric, judgedMonitors).filter(({ value }) => value.reading.from !== 'drain');
    const sources = given.flatMap((one) => segmentsBySource(one, known.get(one.monitor.name) ?? new Map()));
    if (sources.every(({ segments }) => segments.length === 0)) return [];
    const every = Math.min(...given.map(({ monitor }) => monitor.every));
    return [{ title: `${name} ${formatLimit(criterion)}`, limit, unit, columns: columnsOf(sources, every, load) }];
  });
}

interface Source {
  readonly name: string;
  readonly segments: readonly Segment[];
}

function segmentsBySource({ monitor, value }: GivenValue, lines: ReadonlyMap<string, readonly MonitorLine[]>): Source[] {
  const parts = [...lines].map(([source, own]) => ({ source, series: seriesOf(own, value.reading, monitor.every) }));
  if (value.adds) return [{ name: monitor.name, segments: addUp(parts.map(({ series }) => series)).segments }];
  return parts.map(({ source, series }) => ({ name: `${monitor.name}: ${source}`, segments: series.segments }));
}

function columnsOf(sources: readonly Source[], every: Milliseconds, { from, to }: Stretch): readonly Column[] {
  const cells = grid(to - from, every);
  for (const { name, segments } of sources)
    for (const segment of segments) cells.add(name, { from: segment.from - from, to: segment.to - from }, segment.value);
  return cells.read();
}
