import { formatCount, formatDuration, type Milliseconds, type PerSecond, trimNumber } from '../core/quantities.js';
import type { Criterion } from '../metrics/criterion.js';
import { formatLimit } from '../metrics/limit-text.js';

/** What the limits are held against. */
export interface Expectation {
  readonly criteria: readonly Criterion[];
  /** How long the judged window is; unknown where the script decides. */
  readonly windowMs: Milliseconds | undefined;
  readonly requestsPerSecond: PerSecond | undefined;
  /** Whether a health endpoint is probed for `availability`. */
  readonly probed: boolean;
}

/** What a run cannot show however well it goes, as sentences. */
export function planWarnings(expectation: Expectation): string[] {
  const limits = expectation.criteria.flatMap((criterion) =>
    [wrongWay, coarseProbes, coarseErrors, tooLittleLoad].flatMap((look) => look(criterion, expectation) ?? []),
  );
  return [...limits, ...unmeasured(expectation.criteria)];
}

type Look = (criterion: Criterion, expectation: Expectation) => string | undefined;

/** A limit that holds only where the service does badly. */
const wrongWay: Look = (criterion) => {
  const { metric, operator, name } = criterion;
  const lessIsBetter = metric === 'http_req_failed' || metric === 'http_req_duration';
  const wrong = lessIsBetter ? operator.startsWith('>') : metric === 'availability' && operator.startsWith('<');
  if (!wrong) return undefined;
  return `${name} ${formatLimit(criterion)} passes only where the service does badly: is \`${lessIsBetter ? '<' : '>='}\` meant?`;
};

const coarseProbes: Look = (criterion, { windowMs, probed }) => {
  if (criterion.metric !== 'availability' || !probed || windowMs === undefined) return undefined;
  const probes = Math.floor(windowMs / 1000);
  if (probes < 1) return `The judged window is too short for a single health probe: ${criterion.name} will have no data.`;
  if (allows(criterion, 1 - 1 / probes)) return undefined;
  const share = `One missed probe of ${formatCount(probes)} is ${percent(1 - 1 / probes)}`;
  const needed = Math.ceil(1 / (1 - criterion.limit) - 1e-9);
  const longer = Number.isFinite(needed) ? ` ${formatDuration(needed * 1000)} would allow for one.` : '';
  return `${share}: ${criterion.name} ${formatLimit(criterion)} allows for none in ${formatDuration(windowMs)}.${longer}`;
};

const coarseErrors: Look = (criterion, { windowMs, requestsPerSecond }) => {
  if (criterion.metric !== 'http_req_failed' || windowMs === undefined || requestsPerSecond === undefined) return undefined;
  const requests = Math.floor((windowMs / 1000) * requestsPerSecond);
  if (requests < 1 || criterion.limit <= 0 || allows(criterion, 1 / requests)) return undefined;
  return `One failed request of ${formatCount(requests)} is ${percent(1 / requests)}: ${criterion.name} ${formatLimit(criterion)} allows for none.`;
};

const tooLittleLoad: Look = (criterion, { requestsPerSecond }) => {
  if (criterion.metric !== 'http_reqs' || criterion.stat !== 'rate' || requestsPerSecond === undefined) return undefined;
  if (!criterion.operator.startsWith('>') || allows(criterion, requestsPerSecond * (1 + 1e-9))) return undefined;
  const made = `${trimNumber(requestsPerSecond, requestsPerSecond < 10 ? 2 : 0)}/s`;
  return `${criterion.name} ${formatLimit(criterion)} cannot be met: the load makes ${made} at most.`;
};

/** Monitors are not built yet: nothing measures the servers. */
function unmeasured(criteria: readonly Criterion[]): string[] {
  const limits = criteria.filter(({ source }) => source === 'server').map((criterion) => `${criterion.name} ${formatLimit(criterion)}`);
  return limits.length === 0 ? [] : [`The critical limits (${limits.join(', ')}) will not be measured: no monitor gives them.`];
}

function allows({ operator, limit }: Criterion, value: number): boolean {
  if (operator === '<') return value < limit;
  if (operator === '<=') return value <= limit;
  if (operator === '>') return value > limit;
  return operator === '>=' ? value >= limit : true;
}

/** Rounded towards the middle: 99.98%, never a 100% that is none. */
function percent(share: number): string {
  const nearest = Math.min(share, 1 - share) * 100;
  const digits = nearest === 0 ? 0 : Math.max(1, Math.ceil(-Math.log10(nearest)));
  return `${trimNumber(share * 100, digits)}%`;
}
