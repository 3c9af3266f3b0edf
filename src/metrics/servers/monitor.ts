import type { MonitorKindName, MonitorLine, ServerWord } from '../../core/monitors.js';
import type { EpochMs, Milliseconds, Unit } from '../../core/quantities.js';
import { type MonitorValue, monitorValue } from './values.js';

/** A monitor as far as judging goes. */
export interface JudgedMonitor {
  readonly name: string;
  readonly kind: MonitorKindName;
  readonly every: Milliseconds;
  /** Without data of it the measurement is at fault. */
  readonly required: boolean;
  /** The names of the values that it gives. */
  readonly gives: readonly string[];
  /** What its own query measures, where the kind does not say: the unit of `value`, the word that it counts as. */
  readonly unit?: Unit;
  readonly as?: ServerWord;
  /** It tells in periods of this length, and a while after they are over: nothing can be ended by it. */
  readonly periodMs?: Milliseconds;
  /** Its values look back so far: they belong to the judged window from so long after its begin on. */
  readonly looksBack?: Milliseconds;
}

/** One value of one monitor. */
export interface GivenValue {
  readonly monitor: JudgedMonitor;
  /** `depth` */
  readonly name: string;
  readonly value: MonitorValue;
}

/** The values that a limit's metric means: of a word those of every monitor that gives it, else `MONITOR.VALUE`. */
export function valuesMeant(metric: string, monitors: readonly JudgedMonitor[]): GivenValue[] {
  const all = monitors.flatMap((monitor) => monitor.gives.flatMap((name) => givenValue(monitor, name) ?? []));
  const named = all.filter(({ monitor, name }) => metric === `${monitor.name}.${name}`);
  return named.length > 0 ? named : all.filter(({ value }) => value.word === metric);
}

/** A value that a monitor gives; undefined where it does not. */
export function givenValue(monitor: JudgedMonitor, name: string): GivenValue | undefined {
  const value = monitor.gives.includes(name) ? monitorValue(monitor.kind, name) : undefined;
  if (value === undefined) return undefined;
  const { unit, as } = monitor;
  if (name !== 'value' || (unit === undefined && as === undefined)) return { monitor, name, value };
  const own = { ...value, ...(unit === undefined ? {} : { unit }), ...(as === undefined ? {} : { word: as }) };
  return { monitor, name, value: as === 'cpu' ? { ...own, stat: 'avg' } : own };
}

/** Lines by monitor and by source, each in the order of its time. */
export type LinesBySource = Pick<ReadonlyMap<string, ReadonlyMap<string, readonly MonitorLine[]>>, 'get'>;

/** Sorts lines out, each source's {@link inOrder}. */
export function linesBySource(lines: readonly MonitorLine[]): LinesBySource {
  const found = new Map<string, Map<string, MonitorLine[]>>();
  for (const line of lines) {
    const sources = found.get(line.monitor) ?? new Map<string, MonitorLine[]>();
    found.set(line.monitor, sources);
    const ofSource = sources.get(line.source);
    if (ofSource === undefined) sources.set(line.source, [line]);
    else ofSource.push(line);
  }
  for (const sources of found.values()) for (const ofSource of sources.values()) inOrder(ofSource);
  return found;
}

/**
 * Puts the lines of one source into order: one of which a value came late (`ageMs`) may have written them in another. Lines of one period
 * stay as they were told, whatever our clock made of its begin: what was told last counts.
 */
export function inOrder(lines: MonitorLine[]): MonitorLine[] {
  const begins = new Map<EpochMs, Milliseconds>();
  for (const { periodFrom, t } of lines) if (periodFrom !== undefined && !begins.has(periodFrom)) begins.set(periodFrom, t);
  const placeOf = ({ periodFrom, t }: MonitorLine) => (periodFrom === undefined ? t : (begins.get(periodFrom) ?? t));
  return lines.sort((a, b) => placeOf(a) - placeOf(b));
}
