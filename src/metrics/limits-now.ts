import type { Criterion } from '../core/criterion.js';
import type { LimitSample } from '../core/events.js';
import type { Milliseconds } from '../core/quantities.js';
import type { LiveLook } from './abort-watch.js';
import { decide, readStat } from './evaluate.js';
import { type LiveTotal, readTotal, type Span, totalSince } from './live-total.js';
import { type ScriptThreshold, scriptCriterion } from './threshold.js';

/** What a load is judged by, and from when to when. */
export interface JudgedLoad {
  readonly criteria: readonly Criterion[];
  readonly steady?: { readonly from: Milliseconds; readonly to: Milliseconds };
}

/** A runner's push of a second may come in the next. */
const pushLagSeconds = 1;
const noSpan: Span = { low: 0, high: 0 };

/**
 * How the limits for the clients stand, of the judged window as far as it was received, and the script's own of the whole test;
 * call it once a second. What counts is the verdict: it tells the window by when an iteration began.
 */
export function limitsNow(
  { criteria, steady }: JudgedLoad,
  own: Readonly<Record<string, readonly ScriptThreshold[]>>,
): (look: LiveLook) => LimitSample[] {
  const ofClients = criteria.filter(({ source }) => source === 'client').map((limit) => ofWindow(limit, steady));
  const ofScript = Object.entries(own).flatMap(([metric, list]) => list.map((one) => ofTest(metric, one)));
  return (look) => [...ofClients, ...ofScript].map((now) => now(look));
}

function ofWindow(limit: Criterion, steady: JudgedLoad['steady']): (look: LiveLook) => LimitSample {
  const from = steady?.from ?? 0;
  let begun = from === 0;
  let before: LiveTotal | undefined;
  let last: LimitSample = { limit };
  return (look) => {
    const { elapsedMs } = look;
    const total = look.inIterations(limit.metric);
    if (!begun) {
      begun = elapsedMs >= from;
      before = total;
      return last;
    }
    if (total === undefined || elapsedMs > (steady?.to ?? elapsedMs)) return last;
    const seconds = (elapsedMs - from) / 1000;
    const span = look.seconds === undefined ? noSpan : { low: Math.max(0, seconds - pushLagSeconds), high: seconds };
    last = sampleOf(limit, totalSince(total, before), span);
    return last;
  };
}

function ofTest(metric: string, threshold: ScriptThreshold): (look: LiveLook) => LimitSample {
  return (look) => {
    const total = look.total(metric);
    const read = total && readTotal(total, [threshold.expression.stat], noSpan);
    const limit = scriptCriterion(metric, threshold, read ?? { type: 'trend', contains: 'default' });
    return total === undefined ? { limit } : sampleOf(limit, total, look.wholeSeconds ?? noSpan);
  };
}

function sampleOf(limit: Criterion, total: LiveTotal, span: Span): LimitSample {
  const measured = readStat(readTotal(total, [limit.stat], span), limit.stat);
  if (measured === undefined) return { limit };
  return { limit, value: measured.value, outcome: decide(limit.operator, limit.limit, measured) };
}
