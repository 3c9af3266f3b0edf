import type { Criterion } from '../../core/criterion.js';
import { type GivenValue, type JudgedMonitor, valuesMeant } from '../../metrics/servers/monitor.js';
import { monitorValues } from '../../metrics/servers/values.js';
import { serverWords, usualStat } from '../words/criteria.js';
import { allOf, anyOf, didYouMean } from '../words/near.js';

/** A limit for the servers whose metric and statistic are known, or why that cannot be; `on` says what of the entry is to blame. */
export type ResolvedLimit = { readonly limit: Criterion } | { readonly problem: string; readonly on: 'name' | 'value' };

/** Finds what a limit for the servers is about, and with that its unit and its usual statistic. */
export function resolveLimit(criterion: Criterion, monitors: readonly JudgedMonitor[]): ResolvedLimit {
  const metric = metricOf(criterion.metric, monitors);
  const [given] = valuesMeant(metric, monitors);
  if (given === undefined) return { problem: notGiven(criterion.metric, monitors), on: 'name' };
  const limit = inItsUnit({ ...criterion, metric, stat: criterion.stat === usualStat ? usual(given) : criterion.stat }, given);
  if (typeof limit === 'string') return { problem: limit, on: 'value' };
  const { from } = given.value.reading;
  if ((from === 'growth' || from === 'drain') && (criterion.stat !== usualStat || criterion.for !== undefined))
    return { problem: `\`${criterion.metric}\` is one number for the whole window: it has no statistic and no \`for\``, on: 'value' };
  if (criterion.for !== undefined && criterion.stat !== usualStat)
    return { problem: 'a statistic and `for` exclude each other: `for` is about every moment', on: 'value' };
  return { limit };
}

/** A monitor of one value may be called by its own name. */
function metricOf(metric: string, monitors: readonly JudgedMonitor[]): string {
  const named = monitors.find(({ name }) => name === metric);
  const values = named?.gives.filter((name) => name !== 'drain') ?? [];
  return values.length === 1 ? `${metric}.${values[0]}` : metric;
}

function usual({ value: { stat } }: GivenValue): string {
  return stat;
}

const unitsInWords = {
  ms: 'a duration such as `< 5s`',
  '%': 'a percentage such as `< 80%`',
  '/s': 'a rate such as `< 100/s`',
  B: 'a size such as `< 10MB`',
  '': 'a number such as `< 1000`',
} as const;

/** A bare number takes the unit of what is measured; a message where another unit was meant. */
function inItsUnit(criterion: Criterion, { value: { unit } }: GivenValue): Criterion | string {
  if (criterion.unit === unit) return criterion;
  const bare = criterion.unit === '';
  if (!bare || (unit === '%' && (criterion.limit < 0 || criterion.limit > 1)) || unit === 'ms')
    return `expected ${unitsInWords[unit]}: that is what \`${criterion.metric}\` is`;
  return { ...criterion, unit };
}

function notGiven(metric: string, monitors: readonly JudgedMonitor[]): string {
  if (serverWords.includes(metric))
    return `no monitor gives \`${metric}\`: expected one of kind ${anyOf(kindsGiving(metric))}, or a prometheus with \`as: ${metric}\``;
  const dot = metric.indexOf('.');
  const monitor = monitors.find(({ name }) => name === (dot < 0 ? metric : metric.slice(0, dot)));
  if (monitor === undefined) {
    const names = monitors.map(({ name }) => name);
    return `no monitor is called \`${dot < 0 ? metric : metric.slice(0, dot)}\`; there ${names.length === 1 ? 'is' : 'are'} ${allOf(names)}${didYouMean(dot < 0 ? metric : metric.slice(0, dot), [...names, ...serverWords])}`;
  }
  const { name, kind, gives } = monitor;
  if (dot < 0) return `\`${name}\` gives several values: expected ${anyOf(gives.map((value) => `${name}.${value}`))}`;
  const asked = metric.slice(dot + 1);
  const known = Object.hasOwn(monitorValues[kind], asked);
  const because = known ? ` as it is configured (docs/monitors.md says what \`${asked}\` needs)` : '';
  return `\`${name}\` does not give \`${asked}\`${because}; it gives ${allOf(gives)}${known ? '' : didYouMean(asked, gives)}`;
}

function kindsGiving(word: string): string[] {
  return Object.entries(monitorValues).flatMap(([kind, values]) =>
    Object.values(values).some((value) => 'word' in value && value.word === word) ? [kind] : [],
  );
}
