import type { MonitorLine } from '../../core/monitors.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Reading } from './values.js';

/** A stretch of a run, by its `t`. */
export interface Stretch {
  readonly from: Milliseconds;
  readonly to: Milliseconds;
}

/** A value that held for a while. */
export interface Segment extends Stretch {
  readonly value: number;
  /** Of a counter: how much it grew, and what that is held against. */
  readonly grew?: { readonly of: number; readonly by: number };
}

/** What one source, or several added up, told of one value. */
export interface Series {
  /** In order, without overlaps. */
  readonly segments: readonly Segment[];
  /** When something was told, and how long that counts. */
  readonly covered: readonly Stretch[];
  /** The moments of the samples. */
  readonly samples: readonly Milliseconds[];
  /** From the first line of the source to the last; open where it stays. */
  readonly life: Stretch;
}

/** Which server counted, as a number among its values: another one behind the same name began elsewhere. */
export const countedBy = 'countedBy';

/** A sample counts for so many intervals at most: what came of it after that, nobody knows. */
const intervalsCounted = 2;

/** Reads a value from the lines of one source. */
export function seriesOf(lines: readonly MonitorLine[], reading: Reading, every: Milliseconds): Series {
  if (reading.from === 'period') return { ...periods(lines, reading), life: lifeOf(lines, every) };
  const told = lines.filter(hasValues);
  const reaches = told.map((line, index) => reachOf(line, told[index + 1], every));
  const away = absences(lines, told);
  const useful = told.map((line) => isUseful(line, reading));
  return {
    segments:
      reading.from === 'gauge' || reading.from === 'quotient' || reading.from === 'drain'
        ? gauges(told, reaches, reading)
        : grown(told, reading),
    covered: reaches
      .filter((_, index) => useful[index])
      .map((reach) => (away.size === 0 ? reach : { from: reach.from, to: away.get(reach.from) ?? reach.to })),
    samples: told.flatMap(({ t }, index) => (useful[index] ? [t] : [])),
    life: lifeOf(lines, every),
  };
}

/** What was told of a period last, counts; between two of them lies what the source says, not what our clock does. */
function periods(lines: readonly MonitorLine[], { of, ms }: Extract<Reading, { from: 'period' }>): Omit<Series, 'life'> {
  const values = new Map<number, number>();
  for (const line of lines) {
    const value = line.values?.[of];
    if (line.periodFrom !== undefined && value !== undefined && Number.isFinite(value)) values.set(line.periodFrom, value);
  }
  const first = lines.find(({ periodFrom }) => periodFrom !== undefined);
  const ours = (first?.t ?? 0) - (first?.periodFrom ?? 0);
  const segments = [...values].sort(([a], [b]) => a - b).map(([from, value]) => ({ from: from + ours, to: from + ours + ms, value }));
  return { segments, covered: segments, samples: segments.map(({ from }) => from) };
}

/** When a source that left and came back was away, from its last sample before to its first after. */
function absences(lines: readonly MonitorLine[], told: readonly Told[]): ReadonlyMap<Milliseconds, Milliseconds> {
  const away = new Map<Milliseconds, Milliseconds>();
  for (const { t } of lines.filter(({ gone }) => gone === true)) {
    const [last, next] = [told.findLast((line) => line.t <= t), told.find((line) => line.t > t)];
    if (last !== undefined && next !== undefined) away.set(last.t, next.t);
  }
  return away;
}

type Told = MonitorLine & Required<Pick<MonitorLine, 'values'>>;

function hasValues(line: MonitorLine): line is Told {
  return line.values !== undefined;
}

/** A value counts until the next is there. */
function reachOf({ t, everyMs }: Told, next: Told | undefined, every: Milliseconds): Stretch {
  return { from: t, to: Math.min(next?.t ?? Number.POSITIVE_INFINITY, t + intervalsCounted * Math.max(every, everyMs ?? 0)) };
}

function isUseful({ values }: Told, reading: Reading): boolean {
  const fields = 'by' in reading ? [reading.of, reading.by] : [reading.of];
  return fields.every((field) => Number.isFinite(values[field]));
}

function gauges(told: readonly Told[], reaches: readonly Stretch[], reading: Reading): Segment[] {
  return told.flatMap(({ values }, index) => {
    const value = 'by' in reading ? divided(values[reading.of], values[reading.by]) : values[reading.of];
    const reach = reaches[index];
    return value === undefined || reach === undefined || !Number.isFinite(value) ? [] : [{ ...reach, value }];
  });
}

/** Between two samples a counter's growth is known, however far they lie apart; not where it began anew. */
function grown(told: readonly Told[], reading: Reading): Segment[] {
  return told.slice(1).flatMap((line, index) => {
    const before = told[index];
    if (before === undefined || line.t <= before.t) return [];
    const by = 'by' in reading ? growthOf(reading.by, before, line) : (line.t - before.t) / 1000;
    const of = growthOf(reading.of, before, line, reading.from === 'growth');
    if (of === undefined || by === undefined) return [];
    const value = reading.from === 'growth' ? of : divided(of, by);
    return value === undefined ? [] : [{ from: before.t, to: line.t, value, grew: { of, by } }];
  });
}

/** What a counter grew by; where it began anew, at least what it stands at, if that is wanted. */
function growthOf(field: string, before: Told, after: Told, atLeast = false): number | undefined {
  const [from, to] = [before.values[field], after.values[field]];
  if (from === undefined || to === undefined || before.values[countedBy] !== after.values[countedBy]) return undefined;
  return to >= from ? to - from : atLeast ? to : undefined;
}

function divided(of: number | undefined, by: number | undefined): number | undefined {
  return of === undefined || by === undefined || by <= 0 ? undefined : of / by;
}

/** What is gone was there until it last told something; what came late is from then on. */
function lifeOf(lines: readonly MonitorLine[], every: Milliseconds): Stretch {
  const left = lines.at(-1)?.gone === true ? lines.findLast(hasValues)?.t : undefined;
  return { from: lines[0]?.t ?? 0, to: lines.at(-1)?.gone === true ? (left ?? lines[0]?.t ?? 0) + every : Number.POSITIVE_INFINITY };
}

/** Adds up the parts of one whole: it is known where every part is. */
export function addUp(parts: readonly Series[]): Series {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const marks = [...new Set(parts.flatMap(({ segments }) => segments.flatMap(({ from, to }) => [from, to])))].sort((a, b) => a - b);
  const at = parts.map(({ segments }) => walker(segments));
  const segments = marks.slice(0, -1).flatMap((from, index) => {
    const values = at.map((valueAt) => valueAt(from));
    const sum = values.reduce<number | undefined>(
      (total, value) => (total === undefined || value === undefined ? undefined : total + value),
      0,
    );
    return sum === undefined ? [] : [{ from, to: marks[index + 1] ?? from, value: sum }];
  });
  const fewest = parts.reduce((least, part) => (part.samples.length < least.samples.length ? part : least), only ?? emptySeries);
  return {
    segments,
    covered: segments,
    samples: fewest.samples,
    life: { from: Math.min(...parts.map(({ life }) => life.from)), to: Math.max(...parts.map(({ life }) => life.to)) },
  };
}

const emptySeries: Series = { segments: [], covered: [], samples: [], life: { from: 0, to: 0 } };

/** The value at moments that are asked for in their order. */
function walker(segments: readonly Segment[]): (t: Milliseconds) => number | undefined {
  let index = 0;
  return (t) => {
    while ((segments[index]?.to ?? Number.POSITIVE_INFINITY) <= t) index += 1;
    const segment = segments[index];
    return segment !== undefined && segment.from <= t ? segment.value : undefined;
  };
}
