import { type FleetSeries, fleetSeries } from './fleet-series.js';
import { type PushedSeries, type SeriesLabels, seriesKey, type Tags, tagsKey } from './series.js';

/** How much is kept apart. */
export interface LiveCaps {
  /** Distinct `name` tags; the rest is one name, `other`. */
  readonly names: number;
  /** Distinct series of the fleet; the rest is not counted. */
  readonly series: number;
}

/** Series beyond the caps. */
export interface Excess {
  /** How many series were folded into the name `other`: requests without a `name` tag. */
  readonly folded: number;
  /** How many series were not counted at all. */
  readonly ignored: number;
}

/** A series as runners push it; several may be one {@link FleetSeries}. */
export interface Source {
  readonly labels: SeriesLabels;
  readonly fleet: FleetSeries;
}

/** Every series that was pushed, and the fleet's series it is part of. */
export interface SeriesBook {
  /** Where a pushed series belongs: a new one is entered; undefined for a new one beyond the cap. */
  enter(pushed: PushedSeries): Source | undefined;
  /** The series of these labels, if any runner pushed it. */
  find(labels: SeriesLabels): Source | undefined;
  /** The fleet's series of one name on the wire. */
  ofName(name: string): readonly FleetSeries[];
  readonly excess: Excess;
}

/** The name under which requests beyond the cap are counted. */
const otherName = 'other';

/** A book without entries. `keep` are names that are never folded into `other`. */
export function seriesBook(keep: ReadonlySet<string>, caps: LiveCaps): SeriesBook {
  // The reader of pushes hands out one object for equal labels: looking it up spares making their key with every push.
  const known = new WeakMap<SeriesLabels, Source>();
  const sources = new Map<string, Source>();
  const metrics = new Map<string, Map<string, FleetSeries>>();
  const excess = { folded: 0, ignored: 0 };
  const fold = nameFolder(keep, caps.names, () => {
    excess.folded += 1;
  });
  const enterNew = ({ labels, histogram }: PushedSeries, key: string): Source => {
    const series = metrics.get(labels.name) ?? new Map<string, FleetSeries>();
    metrics.set(labels.name, series);
    const tags = fold(labels.tags);
    const fleet = series.get(tagsKey(tags)) ?? fleetSeries(tags, histogram !== undefined);
    series.set(tagsKey(tags), fleet);
    const source = { labels, fleet };
    sources.set(key, source);
    return source;
  };
  return {
    excess,
    enter: (pushed) => {
      const before = known.get(pushed.labels);
      if (before !== undefined) return before;
      const key = seriesKey(pushed.labels);
      const found = sources.get(key);
      if (found === undefined && sources.size >= caps.series) {
        excess.ignored += 1;
        return undefined;
      }
      const source = found ?? enterNew(pushed, key);
      known.set(pushed.labels, source);
      return source;
    },
    find: (labels) => sources.get(seriesKey(labels)),
    ofName: (name) => [...(metrics.get(name)?.values() ?? [])],
  };
}

/** Gives the name `other` to tags whose name comes after the first `most` names; those in `keep` always keep theirs. */
function nameFolder(keep: ReadonlySet<string>, most: number, folded: () => void): (tags: Tags) => Tags {
  const names = new Set<string>(keep);
  return (tags) => {
    const { name } = tags;
    if (name === undefined || names.has(name)) return tags;
    if (names.size < most + keep.size) {
      names.add(name);
      return tags;
    }
    folded();
    return { ...tags, name: otherName, ...('url' in tags ? { url: otherName } : {}) };
  };
}
