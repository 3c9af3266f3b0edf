import type { AbortRule, Crossing } from '../core/criterion.js';
import type { Milliseconds } from '../core/quantities.js';
import { decide, type Measured, readStat } from './evaluate.js';
import { type LiveTotal, readTotal, type Span, totalSince } from './live-total.js';
import { type ScriptThreshold, scriptCriterion } from './threshold.js';

/** The fleet's live data at one moment of the test. */
export interface LiveLook {
  /** Since the load began. */
  readonly elapsedMs: Milliseconds;
  /** How long what was received since then took, in seconds; undefined while it is not known of every runner. */
  readonly seconds: Span | undefined;
  /** A metric over the whole test so far. */
  total(metric: string): LiveTotal | undefined;
  /** The same without what belongs to no iteration (setup). */
  inIterations(metric: string): LiveTotal | undefined;
}

/**
 * An abort rule looks at the last seconds, not at the whole test: an outage after an hour must show. At no more than
 * half of the time that it must hold, lest one bad second looks like many.
 */
function recentMs({ for: lasting }: AbortRule): Milliseconds {
  return Math.min(5000, Math.max(2000, lasting / 2));
}

/** What a runner measured in one second may arrive in the next. */
const pushLagSeconds = 1;

const unknownSpan: Span = { low: 0, high: 0 };

/**
 * Watches thresholds with `abortOnFail` (over the whole test, as k6 does) and abort rules (over the last seconds).
 * Call it once a second. Without data, or with the limit inside the bounds, nothing is crossed.
 */
export function abortWatch(
  thresholds: Readonly<Record<string, readonly ScriptThreshold[]>>,
  rules: readonly AbortRule[],
): (look: LiveLook) => Crossing | undefined {
  const watches = [
    ...Object.entries(thresholds).flatMap(([metric, list]) =>
      list.filter(({ abortOnFail }) => abortOnFail).map((one) => watchThreshold(metric, one)),
    ),
    ...rules.map(watchRule),
  ];
  return (look) => {
    const crossings = watches.map((watch) => watch(look));
    return crossings.find((crossing) => crossing !== undefined);
  };
}

type Watch = (look: LiveLook) => Crossing | undefined;

function watchThreshold(metric: string, threshold: ScriptThreshold): Watch {
  return (look) => {
    if (look.elapsedMs <= threshold.delayAbortMs) return undefined;
    const total = look.total(metric);
    if (total === undefined) return undefined;
    const read = readTotal(total, [threshold.expression.stat], look.seconds ?? unknownSpan);
    const criterion = scriptCriterion(metric, threshold, read);
    const measured = readStat(read, criterion.stat);
    if (measured === undefined || decide(criterion.operator, criterion.limit, measured) !== 'fail') return undefined;
    return { cause: 'threshold', criterion, actual: measured, elapsedMs: look.elapsedMs };
  };
}

function watchRule(rule: AbortRule): Watch {
  const { when, for: lasting, after } = rule;
  const seen: { at: Milliseconds; total: LiveTotal | undefined }[] = [{ at: 0, total: undefined }];
  let since: Milliseconds | undefined;
  return (look) => {
    const { elapsedMs } = look;
    const total = look.inIterations(when.metric);
    seen.push({ at: elapsedMs, total });
    while ((seen[1]?.at ?? elapsedMs) <= elapsedMs - recentMs(rule)) seen.shift();
    const measured = total && elapsedMs >= after ? measureRecent(when.stat, total, seen[0], look) : undefined;
    if (measured === undefined || decide(when.operator, when.limit, measured) !== 'pass') {
      since = undefined;
      return undefined;
    }
    since ??= elapsedMs;
    if (elapsedMs - since < lasting) return undefined;
    return { cause: 'rule', rule, actual: measured };
  };
}

function measureRecent(
  stat: string,
  now: LiveTotal,
  before: { at: Milliseconds; total: LiveTotal | undefined } | undefined,
  look: LiveLook,
): Measured | undefined {
  const seconds = (look.elapsedMs - (before?.at ?? 0)) / 1000;
  const span = look.seconds === undefined ? unknownSpan : { low: seconds - pushLagSeconds, high: seconds + pushLagSeconds };
  const total = stat === 'count' ? now : totalSince(now, before?.total);
  return readStat(readTotal(total, [stat], span), stat);
}
