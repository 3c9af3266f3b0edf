import type { AbortRule, Criterion } from '../core/criterion.js';
import type { Milliseconds, PerSecond } from '../core/quantities.js';
import type { PlanWarning } from '../core/warnings.js';
import { leastSamples } from '../metrics/servers/find.js';
import { type JudgedMonitor, valuesMeant } from '../metrics/servers/monitor.js';
import { wholePeriods } from '../metrics/servers/window.js';

/** What the limits are held against. */
export interface Expectation {
  readonly rules: readonly AbortRule[];
  readonly monitors: readonly JudgedMonitor[];
  readonly criteria: readonly Criterion[];
  /** How long the judged window is; unknown where the script decides. */
  readonly windowMs: Milliseconds | undefined;
  readonly requestsPerSecond: PerSecond | undefined;
  /** Whether a health endpoint is probed for `availability`. */
  readonly probed: boolean;
}

/** What a run cannot show however well it goes. */
export function planWarnings(expectation: Expectation): PlanWarning[] {
  const limits = expectation.criteria.flatMap((criterion) =>
    [wrongWay, coarseProbes, coarseErrors, tooLittleLoad, tooFewSamples].flatMap((look) => look(criterion, expectation) ?? []),
  );
  return [...limits, ...unmeasured(expectation), ...unwatched(expectation)];
}

type Look = (criterion: Criterion, expectation: Expectation) => PlanWarning | undefined;

/** A limit that holds only where the service does badly. */
const wrongWay: Look = (limit) => {
  const lessIsBetter = limit.metric === 'http_req_failed' || limit.metric === 'http_req_duration';
  const wrong = lessIsBetter ? limit.operator.startsWith('>') : limit.metric === 'availability' && limit.operator.startsWith('<');
  return wrong ? { code: 'limit-wrong-way', limit, meant: lessIsBetter ? '<' : '>=' } : undefined;
};

const coarseProbes: Look = (limit, { windowMs, probed }) => {
  if (limit.metric !== 'availability' || !probed || windowMs === undefined) return undefined;
  const probes = Math.floor(windowMs / 1000);
  if (probes < 1) return { code: 'window-without-probe', limit };
  if (allows(limit, 1 - 1 / probes)) return undefined;
  const needed = Math.ceil(1 / (1 - limit.limit) - 1e-9);
  const neededMs = Number.isFinite(needed) ? { neededMs: needed * 1000 } : {};
  return { code: 'limit-allows-no-missed-probe', limit, probes, windowMs, ...neededMs };
};

const coarseErrors: Look = (limit, { windowMs, requestsPerSecond }) => {
  if (limit.metric !== 'http_req_failed' || windowMs === undefined || requestsPerSecond === undefined) return undefined;
  const requests = Math.floor((windowMs / 1000) * requestsPerSecond);
  if (requests < 1 || limit.limit <= 0 || allows(limit, 1 / requests)) return undefined;
  return { code: 'limit-allows-no-failed-request', limit, requests };
};

const tooLittleLoad: Look = (limit, { requestsPerSecond }) => {
  if (limit.metric !== 'http_reqs' || limit.stat !== 'rate' || requestsPerSecond === undefined) return undefined;
  if (!limit.operator.startsWith('>') || allows(limit, requestsPerSecond * (1 + 1e-9))) return undefined;
  return { code: 'limit-above-load', limit, requestsPerSecond };
};

/** A monitor looks too seldom for the judged window. */
const tooFewSamples: Look = (limit, { windowMs, monitors }) => {
  if (limit.source !== 'server' || windowMs === undefined) return undefined;
  const given = valuesMeant(limit.metric, monitors).filter(({ value }) => value.reading.from !== 'drain');
  for (const { monitor } of given) {
    const { name, every, periodMs } = monitor;
    const points = periodMs === undefined ? undefined : wholePeriods(windowMs, periodMs);
    const isTooSlow = points === undefined ? windowMs < leastSamples * every : points.least < leastSamples;
    if (isTooSlow)
      return { code: 'limit-lacks-samples', limit, monitor: name, everyMs: periodMs ?? every, windowMs, ...(points && { points }) };
  }
  return undefined;
};

/** Limits for the servers that no monitor gives. */
function unmeasured({ criteria, monitors }: Expectation): PlanWarning[] {
  const limits = criteria.filter(({ source, metric }) => source === 'server' && valuesMeant(metric, monitors).length === 0);
  return limits.length === 0 ? [] : [{ code: 'limits-not-measured', limits }];
}

/** Abort rules about servers that no monitor watches. */
function unwatched({ rules: all, monitors }: Expectation): PlanWarning[] {
  const rules = all.filter(({ when }) => when.source === 'server' && valuesMeant(when.metric, monitors).length === 0);
  return rules.map(({ when }) => ({ code: 'rule-not-watched', when }));
}

function allows({ operator, limit }: Criterion, value: number): boolean {
  if (operator === '<') return value < limit;
  if (operator === '<=') return value <= limit;
  if (operator === '>') return value > limit;
  return operator === '>=' ? value >= limit : true;
}
