import type { EpochMs } from '../../core/quantities.js';
import type { SeriesState } from '../../metrics/fleet-series.js';
import type { LiveNumbers, NamedSeries } from '../../metrics/live-numbers.js';
import { tagsKey } from '../../metrics/series.js';
import { trendPoints } from '../../metrics/trend-points.js';
import { firstPosition, scattered, unroll } from '../../metrics/unroll.js';
import { type Line, lineOf, nanoseconds } from './line.js';

/** What of a series was written by the second before, and for how many seconds. */
interface Written {
  readonly count: number;
  readonly passes: number;
  readonly counted: number;
  readonly trend: ReturnType<typeof trendPoints>;
  readonly turn: number;
}

/** A second, by the wall clock: from the one before it on. */
interface Second {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/**
 * What k6's own output would have written of a second, as far as the fleet's merged numbers tell: measurements, fields and tags are
 * k6's. A counter is one point with its sum; of a trend, and of failed requests, each point stands for `weight` samples.
 */
export function pointsOfNumbers(weight: number): (numbers: LiveNumbers, at: EpochMs, testid: string) => readonly Line[] {
  const written = new Map<string, Written>();
  let before: EpochMs | undefined;
  return (numbers, at, testid) => {
    const from = before === undefined || before >= at || at - before > 5000 ? at - 1000 : before;
    before = at;
    return numbers.series().flatMap(({ name, state, metric: measurement, form }) => {
      // What is found to be called otherwise is written anew, from its first sample on.
      const key = `${measurement} ${name}${tagsKey(state.tags)}`;
      const { count, passes, counted } = state;
      const last = written.get(key) ?? { count: 0, passes: 0, counted: 0, trend: trendPoints(weight, form.scale), turn: 0 };
      written.set(key, { count, passes, counted, trend: last.trend, turn: last.turn + 1 });
      const write = (value: number, moment: string) =>
        lineOf({ measurement, ...tagsAndFields(state.tags, testid, value), at: moment }) ?? [];
      return secondOf({ name, form }, state, { last, weight }).flatMap((value, index, all) =>
        write(value, momentOf({ from, to: at }, index, all.length)),
      );
    });
  };
}

/** The values of a series' points for this second. */
function secondOf(
  { name, form: { type } }: Pick<NamedSeries, 'name' | 'form'>,
  state: SeriesState,
  { last, weight }: { readonly last: Written; readonly weight: number },
): number[] {
  if (type === 'trend') return inAnyOrder(last.trend(state.histogram));
  if (type === 'counter') return state.count === last.count ? [] : [state.count - last.count];
  if (type === 'gauge') {
    const values = state.last.map(({ value }) => value);
    return name === 'vus' || name === 'vus_max' ? [values.reduce((sum, value) => sum + value, 0)] : values;
  }
  // Of other rates the runners push shares only: how many samples they are of is not known.
  const passes = state.passes - last.passes;
  const fails = state.counted - last.counted - passes;
  const sides = [
    { value: 0, count: fails },
    { value: 1, count: passes },
  ];
  return inAnyOrder(unroll(sides, weight, firstPosition(weight, last.turn)));
}

function inAnyOrder(values: readonly number[]): number[] {
  return scattered(values.length).map((place) => values[place] ?? 0);
}

/** Equal moments would be one point. */
function momentOf({ from, to }: Second, index: number, count: number): string {
  return nanoseconds(from + ((index + 1) * (to - from)) / count);
}

/** k6 has the URL as a field: as a tag it would be a series for each. */
function tagsAndFields({ url, ...tags }: SeriesState['tags'], testid: string, value: number) {
  return { tags: { ...tags, testid }, fields: { value, ...(url === undefined ? {} : { url }) } };
}
