import type { RunnerId } from '../core/ids.js';
import { emptyHistogram, type HistogramSum, histogramSum, type NativeHistogram } from './native-histogram.js';
import type { PushedSeries, Tags } from './series.js';

/** Where one series stands, of one runner or of the fleet. */
export interface SeriesState {
  readonly tags: Tags;
  readonly isTrend: boolean;
  readonly count: number;
  /** Of a rate whose samples are counted. */
  readonly passes: number;
  readonly counted: number;
  readonly histogram: NativeHistogram;
  /** The last value of each runner: rates and gauges do not add up. */
  readonly last: readonly LastValue[];
}

/** The last value of a rate or a gauge, and the least and the largest so far. */
interface LastValue {
  readonly value: number;
  readonly min: number;
  readonly max: number;
}

/** All runners' shares of a series, added up. */
export interface FleetSeries {
  readonly tags: Tags;
  readonly isTrend: boolean;
  count: number;
  passes: number;
  counted: number;
  readonly histogram: HistogramSum;
  readonly byRunner: Map<RunnerId, LastValue>;
}

/** Where a runner's series stood when it was last pushed. */
export interface Standing extends LastValue {
  readonly histogram: NativeHistogram | undefined;
  readonly passes: number;
  readonly counted: number;
}

/** A series of which nothing came yet. */
export function fleetSeries(tags: Tags, isTrend: boolean): FleetSeries {
  return { tags, isTrend, count: 0, passes: 0, counted: 0, histogram: histogramSum(), byRunner: new Map() };
}

/** Adds to the fleet's series what a runner's grew by since `before`, and returns where the runner's stands now. */
export function advance(fleet: FleetSeries, runner: RunnerId, pushed: PushedSeries, before: Standing | undefined): Standing {
  const { value = 0, histogram } = pushed;
  const min = Math.min(value, before?.min ?? value);
  const max = Math.max(value, before?.max ?? value);
  const standing = { value, min, max, histogram, passes: before?.passes ?? 0, counted: before?.counted ?? 0 };
  if (histogram !== undefined) fleet.histogram.grow(histogram, before?.histogram ?? emptyHistogram);
  else {
    fleet.count += value - (before?.value ?? 0);
    fleet.byRunner.set(runner, standing);
  }
  return standing;
}

/** The same for a rate whose samples are known to be `counted` by now: its share becomes a count of passes. */
export function advanceRate(fleet: FleetSeries, standing: Standing, counted: number): Standing {
  const passes = Math.round(standing.value * counted);
  fleet.passes += passes - standing.passes;
  fleet.counted += counted - standing.counted;
  return { ...standing, passes, counted };
}

/** Where the fleet's series stands. */
export function fleetState(series: FleetSeries): SeriesState {
  return { ...series, last: [...series.byRunner.values()] };
}

/** Where one runner's series stands. */
export function runnerState(tags: Tags, standing: Standing): SeriesState {
  const { value: count, histogram, passes, counted } = standing;
  return { tags, isTrend: histogram !== undefined, count, passes, counted, histogram: histogram ?? emptyHistogram, last: [standing] };
}
