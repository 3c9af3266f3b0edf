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

/** Where a runner's series stands. It is advanced in place: what is made anew with each push outlives no push, and is no work to keep. */
export interface Standing extends LastValue {
  value: number;
  min: number;
  max: number;
  passes: number;
  counted: number;
  histogram: HistogramSum | undefined;
}

/** A series of which nothing came yet. */
export function fleetSeries(tags: Tags, isTrend: boolean): FleetSeries {
  return { tags, isTrend, count: 0, passes: 0, counted: 0, histogram: histogramSum(), byRunner: new Map() };
}

/** Where a runner's series stands of which this push is the first. */
export function firstStanding({ value = 0 }: PushedSeries): Standing {
  return { value: 0, min: value, max: value, passes: 0, counted: 0, histogram: undefined };
}

/** Advances a runner's series to what it pushed, and adds to the fleet's what it grew by. */
export function advance(fleet: FleetSeries, runner: RunnerId, pushed: PushedSeries, standing: Standing): void {
  const { value = 0, histogram } = pushed;
  if (histogram !== undefined) {
    standing.histogram ??= histogramSum();
    fleet.histogram.grow(histogram, standing.histogram);
    standing.histogram.grow(histogram, standing.histogram);
    return;
  }
  fleet.count += value - standing.value;
  fleet.byRunner.set(runner, standing);
  standing.value = value;
  standing.min = Math.min(value, standing.min);
  standing.max = Math.max(value, standing.max);
}

/** The same for a rate whose samples are known to be `counted` by now: its share becomes a count of passes. */
export function advanceRate(fleet: FleetSeries, standing: Standing, counted: number): void {
  const passes = Math.round(standing.value * counted);
  fleet.passes += passes - standing.passes;
  fleet.counted += counted - standing.counted;
  standing.passes = passes;
  standing.counted = counted;
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
