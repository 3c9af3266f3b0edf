import type { NativeHistogram } from './native-histogram.js';

/** The tags of a series, by name. */
export type Tags = Readonly<Record<string, string>>;

/** Picks series of a metric by their tags. */
export type Picks = (tags: Tags) => boolean;

/** What distinguishes a series from all others. */
export interface SeriesLabels {
  /** As it stands on the wire, without `k6_`: `http_reqs_total`, `http_req_duration_seconds`. */
  readonly name: string;
  readonly tags: Tags;
}

/** One series of a push: its labels, and where it stands since the runner's start, as a number or a histogram. */
export interface PushedSeries {
  readonly labels: SeriesLabels;
  readonly value?: number;
  readonly histogram?: NativeHistogram;
}

/** One text for equal tags, whatever their order; each value stands behind its length, so that no text looks like two. */
export function tagsKey(tags: Tags): string {
  let key = '';
  for (const name of Object.keys(tags).sort()) {
    const value = tags[name] ?? '';
    key += `${name.length}:${name}${value.length}:${value}`;
  }
  return key;
}

/** One text for equal labels. */
export function seriesKey({ name, tags }: SeriesLabels): string {
  return `${name}${tagsKey(tags)}`;
}
