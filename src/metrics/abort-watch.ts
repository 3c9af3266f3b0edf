import type { AbortRule, Criterion, Crossing } from '../core/criterion.js';
import type { ServerSample } from '../core/monitors.js';
import type { Milliseconds } from '../core/quantities.js';
import type { Outcome } from '../core/verdict.js';
import { decide, exactly, type Measured, readStat } from './evaluate.js';
import { type LiveTotal, readTotal, type Span, totalSince } from './live-total.js';
import { type ScriptThreshold, scriptCriterion } from './threshold.js';

/** The fleet's live data at one moment of the test. */
export interface LiveLook {
  /** Since the load began. */
  readonly elapsedMs: Milliseconds;
  /** How long what was received since then took, in seconds; undefined while it is not known of every runner. */
  readonly seconds: Span | undefined;
  /** The same with the time that setup() took, as the script's own limits have it. */
  readonly wholeSeconds: Span | undefined;
  /** A metric over the whole test so far. */
  total(metric: string): LiveTotal | undefined;
  /** The same without what belongs to no iteration (setup). */
  inIterations(metric: string): LiveTotal | undefined;
  /** What a limit for the servers comes to over the last `overMs`, or stands at now; missing where the run has no monitors. */
  readonly server?: (limit: Criterion, overMs?: Milliseconds) => ServerSample | undefined;
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

/** A limit that was not once decided for so long, though it was due, is one that the live data cannot tell. */
const undecidedMs: Milliseconds = 5000;

/** Watches what ends a load before its time. */
export interface AbortWatch {
  /** The first limit that is crossed by now; call it once a second. */
  look(look: LiveLook): Crossing | undefined;
  /** The limits that were due for a while, and could not be decided once. */
  neverTold(): readonly Criterion[];
  /** The metrics that the limits are about. */
  readonly metrics: readonly string[];
}

/**
 * Watches thresholds with `abortOnFail` (over the whole test, as k6 does) and abort rules (over the last seconds).
 * Without data, or with the limit inside the bounds, nothing is crossed.
 */
export function abortWatch(thresholds: Readonly<Record<string, readonly ScriptThreshold[]>>, rules: readonly AbortRule[]): AbortWatch {
  const aborting = Object.entries(thresholds).flatMap(([metric, list]) =>
    list.filter(({ abortOnFail }) => abortOnFail).map((one) => [metric, one] as const),
  );
  const watches = [...aborting.map(([metric, one]) => watchThreshold(metric, one)), ...rules.map(watchRule)];
  return {
    metrics: [...new Set([...aborting.map(([metric]) => metric), ...rules.map(({ when }) => when.metric)])],
    look: (look) => {
      const crossings = watches.map((watch) => watch.look(look));
      return crossings.find((crossing) => crossing !== undefined);
    },
    neverTold: () => watches.flatMap((watch) => watch.neverTold() ?? []),
  };
}

interface Watch {
  look(look: LiveLook): Crossing | undefined;
  /** The limit, where it could not be decided since it is due. */
  neverTold(): Criterion | undefined;
}

/** Whether a limit that is due can be told. */
function telling() {
  let [dueSince, lastMs]: (Milliseconds | undefined)[] = [];
  let decided = false;
  return {
    note: (elapsedMs: Milliseconds, outcome: Outcome | undefined) => {
      dueSince ??= elapsedMs;
      lastMs = elapsedMs;
      if (outcome === 'pass' || outcome === 'fail') decided = true;
    },
    never: () => !decided && dueSince !== undefined && (lastMs ?? 0) - dueSince >= undecidedMs,
  };
}

function watchThreshold(metric: string, threshold: ScriptThreshold): Watch {
  const told = telling();
  let limit = scriptCriterion(metric, threshold, { type: 'trend', contains: 'default' });
  return {
    neverTold: () => (told.never() ? limit : undefined),
    look: (look) => {
      if (look.elapsedMs <= threshold.delayAbortMs) return undefined;
      const total = look.total(metric);
      const read = total && readTotal(total, [threshold.expression.stat], look.wholeSeconds ?? unknownSpan);
      if (read !== undefined) limit = scriptCriterion(metric, threshold, read);
      const measured = read && readStat(read, limit.stat);
      if (measured === undefined) return undefined; // a healthy script may add to it on failure only
      const outcome = decide(limit.operator, limit.limit, measured);
      told.note(look.elapsedMs, outcome);
      if (outcome !== 'fail') return undefined;
      return { cause: 'threshold', criterion: limit, actual: measured, elapsedMs: look.elapsedMs };
    },
  };
}

function watchRule(rule: AbortRule): Watch {
  const { when, for: lasting, after } = rule;
  const told = telling();
  const seen: { at: Milliseconds; total: LiveTotal | undefined }[] = [{ at: 0, total: undefined }];
  let since: Milliseconds | undefined;
  return {
    neverTold: () => (told.never() && when.source !== 'server' ? when : undefined),
    look: (look) => {
      const { elapsedMs } = look;
      const total = look.inIterations(when.metric);
      seen.push({ at: elapsedMs, total });
      while ((seen[1]?.at ?? elapsedMs) <= elapsedMs - recentMs(rule)) seen.shift();
      if (elapsedMs < after) return undefined;
      const sample = when.source === 'server' ? serverSample(rule, look) : undefined;
      const measured = sample === undefined ? total && measureRecent(when.stat, total, seen[0], look) : exactly(sample.value);
      const outcome = measured && decide(when.operator, when.limit, measured);
      told.note(elapsedMs, outcome);
      if (measured === undefined || outcome !== 'pass') {
        since = undefined;
        return undefined;
      }
      since ??= elapsedMs;
      return elapsedMs - since < (sample === undefined ? lasting : neededMs(rule, sample))
        ? undefined
        : { cause: 'rule', rule, actual: measured, ...(sample && { where: placeOf(sample) }) };
    },
  };
}

/** Two looks at least, also where they are fewer than the profile asks for. */
function neededMs({ for: lasting }: AbortRule, { everyMs }: ServerSample): Milliseconds {
  return Math.max(lasting, 2 * everyMs);
}

/** One bad look counts for two intervals where the next is missed: even then it must not last as long as the rule wants. */
function serverSample(rule: AbortRule, look: LiveLook): ServerSample | undefined {
  const now = look.server?.(rule.when);
  if (now === undefined) return undefined;
  const needed = neededMs(rule, now);
  return look.server?.(rule.when, Math.min(5000, needed / 2, needed - 2 * now.everyMs));
}

function placeOf({ monitor, source }: ServerSample): string {
  return source === undefined ? monitor : `${monitor}, ${source}`;
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
