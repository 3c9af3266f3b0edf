import type { EpochMs } from '../core/quantities.js';
import { addTotals, type LiveTotal, sumGauges } from './live-total.js';
import { baseName, parseMetricName } from './metric-key.js';
import { emptyHistogram, type HistogramSum, histogramSum, type NativeHistogram } from './native-histogram.js';
import { containsOf } from './runner-summary.js';
import { likelyMetric, type WireForm, wireForms } from './wire-names.js';

/** What tells a series from all others. */
export interface SeriesLabels {
  /** As it stands on the wire, without `k6_`: `http_reqs_total`, `http_req_duration_seconds`. */
  readonly name: string;
  readonly tags: Tags;
}

/** One series of a push: its labels, and where it stands since the runner's start, as a number or a histogram. */
export interface PushedSeries {
  readonly labels: SeriesLabels;
  /** When its last sample was measured, by the runner's clock. */
  readonly at: EpochMs;
  readonly value?: number;
  readonly histogram?: NativeHistogram;
}

type Tags = Readonly<Record<string, string>>;

/** Picks series of a metric by their tags. */
export type Picks = (tags: Tags) => boolean;

/** What the fleet has measured so far, as its runners push it. */
export interface LiveNumbers {
  /**
   * Takes one runner's push in. Values are what a runner has had since its start: the same push twice counts once, and
   * what a lost push held comes with the next one of its series.
   */
  take(runner: string, series: readonly PushedSeries[]): void;
  /** The fleet's metric or sub-metric of this key, of the series that `picks` lets through; undefined where nothing of it came. */
  total(key: string, picks?: Picks): LiveTotal | undefined;
  /** The same for one runner alone. */
  totalOf(runner: string, key: string): LiveTotal | undefined;
  /** The fleet's metric of this key, split up by the values of a tag. */
  totalsBy(tag: string, key: string): ReadonlyMap<string, LiveTotal>;
  /** The names of all metrics that one runner pushed, as far as the wire's names tell them. */
  metricsOf(runner: string): readonly string[];
  /** What there was too much of to keep it apart. */
  readonly excess: Excess;
}

/** Series beyond the caps. */
export interface Excess {
  /** How many series were folded into the name `other`: requests without a `name` tag. */
  readonly folded: number;
  /** How many series were not counted at all. */
  readonly ignored: number;
}

/** How much is kept apart. */
export interface LiveCaps {
  /** Distinct `name` tags; the rest is one name, `other`. */
  readonly names: number;
  /** Distinct series of the fleet; the rest is not counted. */
  readonly series: number;
}

const usualCaps: LiveCaps = { names: 500, series: 200_000 };

/** The name under which requests beyond the cap are counted. */
export const otherName = 'other';

/** Where one series stands, of one runner or of the fleet. */
interface SeriesState {
  readonly tags: Tags;
  readonly isTrend: boolean;
  readonly count: number;
  /** Of a rate whose samples are counted. */
  readonly passes: number;
  readonly counted: number;
  readonly histogram: NativeHistogram;
  /** The last value of each runner: rates and gauges cannot be added up. */
  readonly last: readonly LastValue[];
}

interface LastValue {
  readonly value: number;
  readonly min: number;
  readonly max: number;
}

/** All runners' shares of a series, added up. */
interface FleetSeries {
  readonly tags: Tags;
  readonly isTrend: boolean;
  count: number;
  passes: number;
  counted: number;
  readonly histogram: HistogramSum;
  readonly byRunner: Map<string, LastValue>;
}

/** A series as runners push it; several may be one {@link FleetSeries}. */
interface Source {
  readonly labels: SeriesLabels;
  readonly fleet: FleetSeries;
}

/** Where a runner's series stood when it was last pushed. */
interface Standing extends LastValue {
  readonly at: EpochMs;
  readonly histogram: NativeHistogram | undefined;
  readonly passes: number;
  readonly counted: number;
}

/** Rates whose samples are those of a counter with the same tags, so that what they are shares of is known. */
const counterOf: Readonly<Record<string, string>> = { http_req_failed_rate: 'http_reqs_total' };

/**
 * Numbers of a fleet that has not pushed anything yet. `keep` are names that are never folded into `other`, as a limit
 * names them.
 */
export function liveNumbers({
  keep = new Set<string>(),
  caps = usualCaps,
}: {
  keep?: ReadonlySet<string>;
  caps?: LiveCaps;
} = {}): LiveNumbers {
  const known = new WeakMap<SeriesLabels, Source>();
  const sources = new Map<string, Source>();
  const metrics = new Map<string, Map<string, FleetSeries>>();
  const names = new Set<string>(keep);
  const standings = new Map<string, Map<Source, Standing>>();
  const excess = { folded: 0, ignored: 0 };

  const fleetSeries = (metric: string, tags: Tags, isTrend: boolean): FleetSeries => {
    const series = metrics.get(metric) ?? new Map<string, FleetSeries>();
    metrics.set(metric, series);
    const key = tagsKey(tags);
    const found = series.get(key) ?? { tags, isTrend, count: 0, passes: 0, counted: 0, histogram: histogramSum(), byRunner: new Map() };
    series.set(key, found);
    return found;
  };

  const foldedTags = (tags: Tags): Tags => {
    const { name } = tags;
    if (name === undefined || names.has(name)) return tags;
    if (names.size < caps.names + keep.size) {
      names.add(name);
      return tags;
    }
    excess.folded += 1;
    return { ...tags, name: otherName, ...('url' in tags ? { url: otherName } : {}) };
  };

  const sourceOf = ({ labels, histogram }: PushedSeries): Source | undefined => {
    const before = known.get(labels);
    if (before !== undefined) return before;
    const key = seriesKey(labels.name, labels.tags);
    const found = sources.get(key);
    if (found === undefined && sources.size >= caps.series) {
      excess.ignored += 1;
      return undefined;
    }
    const source = found ?? { labels, fleet: fleetSeries(labels.name, foldedTags(labels.tags), histogram !== undefined) };
    sources.set(key, source);
    known.set(labels, source);
    return source;
  };

  /** A share becomes a count by its counter, which stands in the same push. */
  const countRate = (standing: Map<Source, Standing>, source: Source, counter: string): void => {
    const stood = standing.get(source);
    const counting = sources.get(seriesKey(counter, source.labels.tags));
    const counted = counting && standing.get(counting)?.value;
    if (stood === undefined || counted === undefined) return;
    const passes = Math.round(stood.value * counted);
    source.fleet.passes += passes - stood.passes;
    source.fleet.counted += counted - stood.counted;
    standing.set(source, { ...stood, passes, counted });
  };

  const fleetStates = (name: string): SeriesState[] =>
    [...(metrics.get(name)?.values() ?? [])].map((series) => ({
      ...series,
      histogram: series.histogram,
      last: [...series.byRunner.values()],
    }));

  const runnerStates = (runner: string, name: string): SeriesState[] =>
    [...(standings.get(runner) ?? [])].flatMap(([{ labels }, stood]) => {
      const { value: count, histogram, passes, counted } = stood;
      const state = { tags: labels.tags, isTrend: histogram !== undefined, count, passes, counted, last: [stood] };
      return labels.name === name ? [{ ...state, histogram: histogram ?? emptyHistogram }] : [];
    });

  return {
    excess,
    take: (runner, series) => {
      const standing = standings.get(runner) ?? new Map<Source, Standing>();
      standings.set(runner, standing);
      const rates: [Source, string][] = [];
      for (const pushed of series) {
        const source = sourceOf(pushed);
        if (source === undefined) continue;
        const before = standing.get(source);
        if (before !== undefined && pushed.at <= before.at) continue;
        standing.set(source, advance(runner, source.fleet, pushed, before));
        const counter = counterOf[pushed.labels.name];
        if (counter !== undefined) rates.push([source, counter]);
      }
      for (const [source, counter] of rates) countRate(standing, source, counter);
    },
    total: (key, picks = () => true) => {
      const found = findStates(key, fleetStates);
      return (
        found &&
        totalOfStates(
          found,
          found.states.filter(({ tags }) => picks(tags)),
        )
      );
    },
    totalOf: (runner, key) => {
      const found = findStates(key, (name) => runnerStates(runner, name));
      return found && totalOfStates(found, found.states);
    },
    totalsBy: (tag, key) => {
      const found = findStates(key, fleetStates);
      if (found === undefined) return new Map();
      const groups = new Map<string, SeriesState[]>();
      for (const state of found.states) {
        const value = state.tags[tag];
        if (value !== undefined) groups.set(value, [...(groups.get(value) ?? []), state]);
      }
      const totals = [...groups].map(([value, states]) => [value, totalOfStates(found, states)] as const);
      return new Map(totals.flatMap(([value, total]) => (total === undefined ? [] : [[value, total]])));
    },
    metricsOf: (runner) => {
      const pushed = [...(standings.get(runner) ?? [])].map(([{ labels }, { histogram }]) =>
        likelyMetric(labels.name, histogram !== undefined),
      );
      return [...new Set(pushed)].sort();
    },
  };
}

/** Adds to the fleet's series what a runner's has got since `before`. */
function advance(runner: string, fleet: FleetSeries, { at, value = 0, histogram }: PushedSeries, before: Standing | undefined): Standing {
  const min = Math.min(value, before?.min ?? value);
  const max = Math.max(value, before?.max ?? value);
  if (histogram !== undefined) fleet.histogram.grow(histogram, before?.histogram ?? emptyHistogram);
  else {
    fleet.count += value - (before?.value ?? 0);
    fleet.byRunner.set(runner, { value, min, max });
  }
  return { at, value, min, max, histogram, passes: before?.passes ?? 0, counted: before?.counted ?? 0 };
}

interface FoundStates {
  readonly key: string;
  readonly form: WireForm;
  readonly states: readonly SeriesState[];
}

/** The series of a metric or sub-metric, and in which of k6's forms they were pushed. */
function findStates(key: string, statesOf: (wireName: string) => readonly SeriesState[]): FoundStates | undefined {
  const parsed = parseMetricName(key);
  if ('error' in parsed) return undefined;
  const matches = (tags: Tags) => (parsed.tags ?? []).every(([tag, value]) => tags[tag] === value);
  for (const form of wireForms) {
    const ofForm = statesOf(parsed.name + form.suffix).filter(({ isTrend }) => isTrend === (form.type === 'trend'));
    if (ofForm.length > 0) return { key, form, states: ofForm.filter(({ tags }) => matches(tags)) };
  }
  return undefined;
}

function totalOfStates({ key, form }: FoundStates, states: readonly SeriesState[]): LiveTotal | undefined {
  const contains = form.contains === 'default' ? containsOf(key, {}) : form.contains;
  const { type, scale } = form;
  if (type === 'counter') return addTotals(states.map(({ count }) => ({ kind: 'counter', contains, count })));
  if (type === 'trend') return addTotals(states.map(({ histogram }) => ({ kind: 'trend', contains, scale, histogram })));
  const last = states.flatMap((state) => state.last);
  if (type === 'gauge') {
    const gauges = last.map(({ value, min, max }): LiveTotal => ({ kind: 'gauge', contains, low: value, high: value, min, max }));
    return ['vus', 'vus_max'].includes(baseName(key)) ? sumGauges(gauges) : addTotals(gauges);
  }
  if (Object.hasOwn(counterOf, baseName(key) + form.suffix)) {
    return addTotals(states.map(({ passes, counted }) => ({ kind: 'rate', contains, passes, total: counted })));
  }
  return addTotals(last.map(({ value }) => ({ kind: 'share', contains, low: value, high: value })));
}

function tagsKey(tags: Tags): string {
  return JSON.stringify(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function seriesKey(name: string, tags: Tags): string {
  return `${name}${tagsKey(tags)}`;
}
