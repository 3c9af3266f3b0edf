import type { Criterion } from '../../core/criterion.js';
import type { Monitored, MonitorLine } from '../../core/monitors.js';
import type { Milliseconds, Share } from '../../core/quantities.js';
import { decide, exactly, type Measured } from '../evaluate.js';
import { drainOf } from './drain.js';
import { type GivenValue, type JudgedMonitor, type LinesBySource, valuesMeant } from './monitor.js';
import { addUp, type Series, type Stretch, seriesOf } from './series.js';
import { isUpper, statisticOf, within } from './statistic.js';

/** What monitors say of a limit for the servers. */
export type ServerFinding =
  /** The worst of what is known; `left` says what is not: of other monitors or sources. */
  { readonly measured: Measured; readonly monitored: Monitored; readonly left?: Missing } | (Missing & { readonly monitored?: Monitored });

/** What is not known, as a clause, and whether that is a fault of the measurement: it had to be. */
export interface Missing {
  readonly missing: string;
  readonly required: boolean;
}

/** What a run's monitors told, and when its load was. */
export interface ServerEvidence {
  readonly monitors: readonly JudgedMonitor[];
  readonly lines: LinesBySource;
  /** The judged window, by the run's `t`. */
  readonly window: Stretch;
  /** When the load began and ended. */
  readonly load: Stretch;
}

/** Fewer samples say nothing. */
export const leastSamples = 3;
/** A series with more holes says nothing. */
const holesAllowed: Share = 0.2;

/** Finds what a limit for the servers came to: of several sources, and of several monitors of one word, the worst. */
export function findServer(criterion: Criterion, evidence: ServerEvidence): ServerFinding {
  const given = valuesMeant(criterion.metric, evidence.monitors);
  const found = given.map((one) => ofMonitor(criterion, one, evidence));
  return worstOf(criterion, found) ?? { missing: 'no monitor gives it', required: false };
}

type Found = Extract<ServerFinding, { measured: Measured }>;

/** A limit that one of them breaks is broken, whatever is missing of the others; it holds where none that had to be known is missing. */
function worstOf(criterion: Criterion, found: readonly ServerFinding[]): ServerFinding | undefined {
  const sign = isUpper(criterion) ? 1 : -1;
  const worst = found
    .flatMap((one) => ('measured' in one ? [one] : []))
    .reduce<Found | undefined>(
      (most, one) => (most === undefined || sign * one.measured.value > sign * most.measured.value ? one : most),
      undefined,
    );
  const missing = found.flatMap((one) => ('missing' in one ? [one] : (one.left ?? [])));
  const gap = missing.find(({ required }) => required) ?? joined(missing);
  if (worst === undefined || gap === undefined) return worst ?? gap;
  const isBroken = decide(criterion.operator, criterion.limit, worst.measured) === 'fail';
  return gap.required && !isBroken ? gap : { ...worst, left: { missing: gap.missing, required: gap.required } };
}

function joined(all: readonly Missing[]): Missing | undefined {
  return all.length === 0 ? undefined : { missing: all.map(({ missing }) => missing).join('; '), required: false };
}

function ofMonitor(criterion: Criterion, given: GivenValue, evidence: ServerEvidence): ServerFinding {
  const { monitor } = given;
  const sources = [...(evidence.lines.get(monitor.name) ?? [])];
  const all = sources.map(([source, lines]) => ({ source, lines, ...seriesOf(lines, given.value.reading, monitor.every) }));
  const series = tellers(all, evidence.window, monitor);
  const isDrain = given.value.reading.from === 'drain';
  const found = isDrain
    ? [drained(criterion, monitor, series, evidence)]
    : given.value.adds
      ? [inWindow(criterion, given, addUp(series), evidence)]
      : wholeOnes(series, evidence.window, monitor).map((one) => inWindow(criterion, given, one, evidence));
  return worstOf(criterion, found) ?? noData(monitor, 'it has no sample');
}

/**
 * Where a source has a value, one that tells others and never this is not asked for it: only a standby has a lag. Nor is one that
 * only fails, unless it does for long: what goes wrong for all the parts of a whole is told under its own name, and is a hole of theirs.
 */
function tellers<T extends Series & { readonly lines: readonly MonitorLine[] }>(
  all: readonly T[],
  window: Stretch,
  { every }: JudgedMonitor,
): readonly T[] {
  if (!all.some(({ samples }) => samples.length > 0)) return all;
  const length = window.to - window.from;
  const fails = (lines: readonly MonitorLine[]) => inside(moments(lines), window).length * every > holesAllowed * length;
  return all.filter(({ samples, lines }) => samples.length > 0 || (!lines.some(({ values }) => values !== undefined) && fails(lines)));
}

function moments(lines: readonly MonitorLine[]): Milliseconds[] {
  return lines.map(({ t }) => t);
}

/** What joined late or left early says little by itself; where it is all there is, that is judged. */
function wholeOnes<T extends Series>(all: readonly T[], window: Stretch, { every }: JudgedMonitor): readonly T[] {
  const whole = all.filter(({ life, samples }) => {
    const stays = life.from <= window.from + every && life.to >= window.to;
    return stays || inside(samples, window).length >= leastSamples;
  });
  return whole.length > 0 ? whole : all;
}

function drained(criterion: Criterion, monitor: JudgedMonitor, series: readonly Series[], { load }: ServerEvidence): ServerFinding {
  const found = drainOf(addUp(series), load);
  if (found === undefined) return noData(monitor, 'it was not watched from before the load to its end');
  const { ms, isOver, samples, longestHoleMs } = found;
  if (!isOver && ms <= criterion.limit) return noData(monitor, 'it was not watched until it had drained');
  const monitored = { monitor: monitor.name, stat: isOver ? 'time to drain' : 'not drained', samples, longestHoleMs };
  return { measured: exactly(ms), monitored };
}

function inWindow(
  criterion: Criterion,
  { monitor, value }: GivenValue,
  series: Series & { readonly source?: string },
  { window }: ServerEvidence,
): ServerFinding {
  const { source } = series;
  const span = spanOf(series, window, { monitor, value });
  const samples = value.reading.from === 'period' ? within(series.segments, span).length : inside(series.samples, span).length;
  const holes = holesIn(series.covered, span);
  const longestHoleMs = Math.round(holes.reduce((most, { from, to }) => Math.max(most, to - from), 0));
  const missed = holes.reduce((sum, { from, to }) => sum + to - from, 0) / Math.max(1, span.to - span.from);
  const where = source === undefined ? '' : ` of ${source}`;
  if (samples < leastSamples)
    return noData(monitor, `${samples === 0 ? 'no sample' : `only ${samples} of the ${leastSamples} samples needed`}${where}`);
  const said: Monitored = {
    monitor: monitor.name,
    ...(source === undefined ? {} : { source }),
    stat: statText(criterion, value.reading.from),
    samples,
    longestHoleMs,
  };
  if (missed > holesAllowed) {
    return noData(
      monitor,
      `its samples${where} leave ${Math.round(missed * 100)}% of the window open, the longest hole is ${seconds(longestHoleMs)}`,
      said,
    );
  }
  const actual = statisticOf(series.segments, value.reading, criterion, span);
  if (actual === undefined) return noData(monitor, `its samples${where} say nothing of ${criterion.name}`, said);
  return { measured: exactly(actual), monitored: said };
}

/** What is judged of a series: what of it lies in the window and in its own life. */
function spanOf({ life, segments }: Series, window: Stretch, { monitor, value }: Pick<GivenValue, 'monitor' | 'value'>): Stretch {
  const span = { from: Math.max(window.from + (monitor.looksBack ?? 0), life.from), to: Math.min(window.to, life.to) };
  return value.reading.from === 'period' ? inPeriods(span, segments[0]?.from ?? 0, value.reading.ms) : span;
}

/** The whole periods of a stretch, of which one anywhere begins at `begun`; it ends before it begins where there is none. */
function inPeriods({ from, to }: Stretch, begun: Milliseconds, ms: Milliseconds): Stretch {
  return { from: begun + Math.ceil((from - begun) / ms) * ms, to: begun + Math.floor((to - begun) / ms) * ms };
}

function inside(samples: readonly Milliseconds[], { from, to }: Stretch): Milliseconds[] {
  return samples.filter((t) => t >= from && t <= to);
}

/** Where nothing is known. */
function holesIn(covered: readonly Stretch[], { from, to }: Stretch): Stretch[] {
  const holes: Stretch[] = [];
  let known = from;
  for (const part of covered) {
    if (part.to <= known || part.from >= to) continue;
    if (part.from > known) holes.push({ from: known, to: part.from });
    known = part.to;
  }
  return known < to ? [...holes, { from: known, to }] : holes;
}

function noData(monitor: JudgedMonitor, why: string, monitored?: Monitored): ServerFinding {
  const missing = `monitor ${monitor.name} gave no data: ${why}`;
  return { missing, required: monitor.required, ...(monitored === undefined || !monitor.required ? {} : { monitored }) };
}

function statText({ stat, for: lasting }: Criterion, from: string): string {
  if (from === 'growth') return 'total';
  return lasting === undefined ? stat : `held ${seconds(lasting)}`;
}

function seconds(ms: Milliseconds): string {
  return ms < 10_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 1000)} s`;
}
