import type { Milliseconds, Unit } from '../../core/quantities.js';

/** A line of a chart, a value for each of its columns; null where nothing was measured. */
export interface LineData {
  readonly label: string;
  readonly unit: Unit;
  readonly values: readonly (number | null)[];
  /** The smallest and largest values of each column, where those differ. */
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
  /** It has an axis of its own. */
  readonly isBeside?: true;
}

/** How long requests took, column by column: `counts[i]` of column i in the buckets that end at `edges`. */
export interface HeatData {
  /** In milliseconds; bucket k is between edge k and edge k + 1. */
  readonly edges: readonly Milliseconds[];
  readonly counts: readonly (readonly number[])[];
}

/** What a script draws in place of a figure's drawing. */
export interface ChartData {
  /** Of its figure. */
  readonly id: string;
  readonly title: string;
  /** `time`: over the seconds of the load, with one crosshair and zoom; `sizes`: over milliseconds, on a logarithmic scale. */
  readonly over: 'time' | 'sizes';
  readonly x: readonly number[];
  readonly lines: readonly LineData[];
  readonly limits: readonly { readonly label: string; readonly value: number }[];
  readonly heat?: HeatData;
}

/** A limit so many times above all values is only named: drawn in, it would make lines flat. */
const farAbove = 4;

/** Whether a limit is drawn in, above values up to `highest`; one of a share always is: how far it is to 100%, is what is asked. */
export function isNear(limit: number, highest: number, isShare: boolean): boolean {
  return isShare || limit <= highest * farAbove;
}

/** What charts over time have in common, in seconds of the load. */
export interface SpanData {
  /** `ramp`: a part that is not judged; `breach`: while a limit was broken. */
  readonly kind: 'ramp' | 'breach' | 'moment';
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** All that the page's script draws. */
export interface PageData {
  readonly endSeconds: number;
  readonly spans: readonly SpanData[];
  readonly charts: readonly ChartData[];
}
