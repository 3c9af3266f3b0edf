import { type FleetSeries, fleetSeries } from './fleet-series.js';
import { type PushedSeries, type SeriesLabels, seriesKey, type Tags, tagsKey } from './series.js';

/** How much is kept apart. */
export interface LiveCaps {
  /** Distinct `name` tags; the rest is one name, `other`. */
  readonly names: number;
  /** Distinct series of the fleet; the rest is not counted. */
  readonly series: number;
  /** Series of all runners added up: what is kept is kept for each. The rest is not counted. */
  readonly standings: number;
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
  /** It is counted under its own name. */
  readonly isApart: boolean;
}

/** Every series that was pushed, and the fleet's series it is part of. */
export interface SeriesBook {
  /** Whether series that no runner pushed before and that have this `name` tag are still taken. */
  admits(name: string | undefined): boolean;
  /** Where a pushed series belongs: a new one is entered; undefined for a new one beyond the cap. */
  enter(pushed: PushedSeries): Source | undefined;
  /** Whether one more runner's series of this source may be kept; if so, it is counted as kept. */
  hasRoomFor(source: Source): boolean;
  /** The series of these labels, if any runner pushed it. */
  find(labels: SeriesLabels): Source | undefined;
  /** The fleet's series of one name on the wire. */
  ofName(name: string): readonly FleetSeries[];
  /** Every name on the wire that there are series of. */
  names(): readonly string[];
  readonly excess: Excess;
}

/** The name under which requests beyond the cap are counted. */
const otherName = 'other';

/** What requests beyond the cap on names may take of the room: what is named and limited always finds some. */
const foldedShare = 1 / 3;

/** A book without entries. `keep` are names that are never folded into `other`. */
export function seriesBook(keep: ReadonlySet<string>, caps: LiveCaps): SeriesBook {
  // The reader of pushes hands out one object for equal labels: looking it up spares making their key with every push.
  const known = new WeakMap<SeriesLabels, Source>();
  const sources = new Map<string, Source>();
  const metrics = new Map<string, Map<string, FleetSeries>>();
  const excess = { folded: 0, ignored: 0 };
  const isApart = namesApart(keep, caps.names);
  let standings = 0;
  const hasRoom = (used: number, most: number, apart: boolean) => {
    const room = used < (apart ? most : most * foldedShare);
    if (!room) excess.ignored += 1;
    return room;
  };
  const enterNew = ({ labels, histogram }: PushedSeries, key: string): Source => {
    const series = metrics.get(labels.name) ?? new Map<string, FleetSeries>();
    metrics.set(labels.name, series);
    const apart = isApart(labels.tags.name);
    if (!apart) excess.folded += 1;
    const tags = apart ? labels.tags : folded(labels.tags);
    const fleet = series.get(tagsKey(tags)) ?? fleetSeries(tags, histogram !== undefined);
    series.set(tagsKey(tags), fleet);
    const source = { labels, fleet, isApart: apart };
    sources.set(key, source);
    return source;
  };
  return {
    excess,
    admits: (name) => {
      const apart = isApart(name);
      return hasRoom(sources.size, caps.series, apart) && hasRoom(standings, caps.standings, apart);
    },
    enter: (pushed) => {
      const before = known.get(pushed.labels);
      if (before !== undefined) return before;
      const key = seriesKey(pushed.labels);
      const found = sources.get(key);
      if (found === undefined && !hasRoom(sources.size, caps.series, isApart(pushed.labels.tags.name))) return undefined;
      const source = found ?? enterNew(pushed, key);
      known.set(pushed.labels, source);
      return source;
    },
    hasRoomFor: (source) => {
      const room = hasRoom(standings, caps.standings, source.isApart);
      if (room) standings += 1;
      return room;
    },
    find: (labels) => sources.get(seriesKey(labels)),
    names: () => [...metrics.keys()],
    ofName: (name) => [...(metrics.get(name)?.values() ?? [])],
  };
}

/** Whether a name stands for itself: those in `keep` always do, and of the others the first `most`. */
function namesApart(keep: ReadonlySet<string>, most: number): (name: string | undefined) => boolean {
  const names = new Set<string>(keep);
  return (name) => {
    if (name === undefined || names.has(name)) return true;
    if (names.size >= most + keep.size) return false;
    names.add(name);
    return true;
  };
}

function folded(tags: Tags): Tags {
  return { ...tags, name: otherName, ...('url' in tags ? { url: otherName } : {}) };
}
