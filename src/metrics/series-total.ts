import type { SeriesState } from './fleet-series.js';
import { addTotals, type LiveTotal, sumGauges } from './live-total.js';
import { baseName, parseMetricName } from './metric-key.js';
import { containsOf } from './runner-summary.js';
import { type WireForm, wireForms } from './wire-names.js';

/** Rates whose samples are those of a counter with the same tags, so that what they are shares of is known. */
export const counterOf: Readonly<Record<string, string>> = { http_req_failed_rate: 'http_reqs_total' };

/** The series of a metric or sub-metric, and in which of k6's forms they were pushed. */
export interface FoundSeries {
  readonly key: string;
  readonly form: WireForm;
  readonly states: readonly SeriesState[];
}

/** Finds a metric's series among those that `statesOf` has of a name on the wire; undefined where it has none. */
export function findSeries(key: string, statesOf: (wireName: string) => readonly SeriesState[]): FoundSeries | undefined {
  const parsed = parseMetricName(key);
  if ('error' in parsed) return undefined;
  const matches = ({ tags }: SeriesState) => (parsed.tags ?? []).every(([tag, value]) => tags[tag] === value);
  for (const form of wireForms) {
    const ofForm = statesOf(parsed.name + form.suffix).filter(({ isTrend }) => isTrend === (form.type === 'trend'));
    if (ofForm.length > 0) return { key, form, states: ofForm.filter(matches) };
  }
  return undefined;
}

/** The series as one; undefined where there are none. */
export function totalOfSeries({ key, form, states }: FoundSeries): LiveTotal | undefined {
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

/** The series by the values of a tag, each group as one; series without the tag are in none. */
export function totalsByTag(found: FoundSeries, tag: string): Map<string, LiveTotal> {
  const groups = new Map<string, SeriesState[]>();
  for (const state of found.states) {
    const value = state.tags[tag];
    if (value === undefined) continue;
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [state]);
    else group.push(state);
  }
  const totals = [...groups].map(([value, states]) => [value, totalOfSeries({ ...found, states })] as const);
  return new Map(totals.flatMap(([value, total]) => (total === undefined ? [] : [[value, total]])));
}
