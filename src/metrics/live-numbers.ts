import type { RunnerId } from '../core/ids.js';
import { advance, advanceRate, firstStanding, fleetState, runnerState, type SeriesState, type Standing } from './fleet-series.js';
import type { LiveTotal } from './live-total.js';
import type { Picks, PushedSeries } from './series.js';
import { type Excess, type LiveCaps, type SeriesBook, type Source, seriesBook } from './series-book.js';
import { counterOf, findSeries, totalOfSeries, totalsByTag } from './series-total.js';
import { type WireBook, type WireMetric, wireBook } from './wire-books.js';
import { likelyMetric } from './wire-names.js';

/** What the fleet has measured so far, as its runners push it. */
export interface LiveNumbers extends Pick<WireBook, 'unsure' | 'settle'> {
  /**
   * Takes one runner's push in; the one that arrives last counts, whatever its clock says. Values are what a runner has had
   * since its start: the same push twice counts once, and what a lost push held comes with the next one of its series.
   */
  take(runner: RunnerId, series: readonly PushedSeries[]): void;
  /** Whether series that no runner pushed before and that have this `name` tag are still taken: the others need not be read. */
  admits(name: string | undefined): boolean;
  /** The fleet's metric or sub-metric of this key, of the series that `picks` lets through; undefined where nothing of it came. */
  total(key: string, picks?: Picks): LiveTotal | undefined;
  /** The same for one runner alone. */
  totalOf(runner: RunnerId, key: string): LiveTotal | undefined;
  /** The fleet's metric of this key, split up by the values of a tag. */
  totalsBy(tag: string, key: string): ReadonlyMap<string, LiveTotal>;
  /** The names of all metrics that one runner pushed, as far as the wire's names tell them. */
  metricsOf(runner: RunnerId): readonly string[];
  /** Where every series of the fleet stands, by its name on the wire. What it holds may grow on: copy what is to be kept. */
  series(): readonly NamedSeries[];
  /** What there was too much of to keep it apart. */
  readonly excess: Excess;
}

/** A series of the fleet, its name on the wire, and the metric that it is of. */
export interface NamedSeries extends WireMetric {
  readonly name: string;
  readonly state: SeriesState;
}

/** A series takes 2.5 kB, and 0.7 kB for each runner that has it: together less than 450 MB, and room for 500 endpoints of 30 runners. */
const usualCaps: LiveCaps = { names: 500, series: 40_000, standings: 400_000 };

/**
 * Numbers of a fleet that has not pushed anything yet. `keep` are names that are never folded into `other`, as a limit
 * names them.
 */
export function liveNumbers({
  keep = new Set<string>(),
  caps = {},
}: {
  keep?: ReadonlySet<string>;
  caps?: Partial<LiveCaps>;
} = {}): LiveNumbers {
  const book = seriesBook(keep, { ...usualCaps, ...caps });
  const names = wireBook();
  const runners = new Map<RunnerId, Standings>();
  const seriesOf = (runner: RunnerId) => [...(runners.get(runner) ?? [])];
  const ofFleet = (name: string) => book.ofName(name).map(fleetState);
  return {
    excess: book.excess,
    admits: (name) => book.admits(name),
    take: (runner, series) => {
      const standings = runners.get(runner) ?? new Map<Source, Standing>();
      runners.set(runner, standings);
      takePush({ book, names }, runner, standings, series);
    },
    total: (key, picks = () => true) => {
      const found = findSeries(key, ofFleet);
      return found && totalOfSeries({ ...found, states: found.states.filter(({ tags }) => picks(tags)) });
    },
    totalOf: (runner, key) => {
      const found = findSeries(key, (name) => statesOfName(seriesOf(runner), name));
      return found && totalOfSeries(found);
    },
    totalsBy: (tag, key) => {
      const found = findSeries(key, ofFleet);
      return found === undefined ? new Map() : totalsByTag(found, tag);
    },
    series: () => book.names().flatMap((name) => ofFleet(name).map((state) => ({ name, state, ...names.metricOf(name, state.isTrend) }))),
    unsure: names.unsure,
    settle: names.settle,
    metricsOf: (runner) => {
      const names = seriesOf(runner).map(([{ labels }, { histogram }]) => likelyMetric(labels.name, histogram !== undefined));
      return [...new Set(names)].sort();
    },
  };
}

/** Where all series of a runner stand. */
type Standings = Map<Source, Standing>;

interface Books {
  readonly book: SeriesBook;
  readonly names: WireBook;
}

function takePush({ book, names }: Books, runner: RunnerId, standings: Standings, series: readonly PushedSeries[]): void {
  const rates: [Source, string][] = [];
  for (const pushed of series) {
    const source = book.enter(pushed);
    if (source === undefined) continue;
    const known = standings.get(source);
    if (known === undefined && !book.hasRoomFor(source)) continue;
    const standing = known ?? firstStanding(pushed);
    if (known === undefined) {
      standings.set(source, standing);
      names.enter(pushed.labels.name, runner);
    }
    advance(source.fleet, runner, pushed, standing);
    const counter = counterOf[pushed.labels.name];
    if (counter !== undefined) rates.push([source, counter]);
  }
  // A rate's counter stands in the same push, before or after it.
  for (const [source, counter] of rates) {
    const [standing, counting] = [standings.get(source), book.find({ name: counter, tags: source.labels.tags })];
    const counted = counting && standings.get(counting)?.value;
    if (standing !== undefined && counted !== undefined) advanceRate(source.fleet, standing, counted);
  }
}

function statesOfName(series: readonly (readonly [Source, Standing])[], name: string): SeriesState[] {
  return series.flatMap(([{ labels }, standing]) => (labels.name === name ? [runnerState(labels.tags, standing)] : []));
}
