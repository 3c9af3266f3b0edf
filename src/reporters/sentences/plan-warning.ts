import type { Criterion } from '../../core/criterion.js';
import { formatCount, formatDuration, trimNumber } from '../../core/quantities.js';
import type { PlanWarning } from '../../core/warnings.js';
import { formatLimit } from '../../metrics/limit-text.js';
import { pointsText } from './monitors.js';

/** What a run cannot show, as a sentence. */
export function planWarningText(warning: PlanWarning): string {
  switch (warning.code) {
    case 'limit-wrong-way':
      return `${named(warning.limit)} passes only where the service does badly. Did you mean \`${warning.meant}\`?`;
    case 'window-without-probe':
      return `The judged window is too short for a single health probe: ${warning.limit.name} will have no data.`;
    case 'limit-allows-no-missed-probe':
      return missedProbe(warning);
    case 'limit-allows-no-failed-request': {
      const { limit, requests } = warning;
      return `One failed request of ${formatCount(requests)} is ${percent(1 / requests)}: ${named(limit)} allows none.`;
    }
    case 'limit-above-load': {
      const { limit, requestsPerSecond: rate } = warning;
      return `${named(limit)} cannot be met: the load makes at most ${trimNumber(rate, rate < 10 ? 2 : 0)}/s.`;
    }
    case 'limits-not-measured':
      return `The critical limits (${warning.limits.map(named).join(', ')}) will not be measured: no monitor provides them.`;
    case 'limit-lacks-samples': {
      const { limit, monitor, everyMs, windowMs, points } = warning;
      if (points !== undefined)
        return `${named(limit)} ${points.most < 3 ? 'will' : 'may'} have no data: of the points of monitor ${monitor}, one each ${formatDuration(everyMs)}, the judged window of ${formatDuration(windowMs)} gets ${pointsText(points)}, and 3 are needed.`;
      return `${named(limit)} will have no data: monitor ${monitor} looks every ${formatDuration(everyMs)}, and the judged window of ${formatDuration(windowMs)} needs 3 samples.`;
    }
    case 'rule-not-watched':
      return `The abort rule ${named(warning.when)} is not evaluated: no monitor provides ${warning.when.metric}.`;
  }
}

function named(criterion: Criterion): string {
  return `${criterion.name} ${formatLimit(criterion)}`;
}

function missedProbe({ limit, probes, windowMs, neededMs }: Extract<PlanWarning, { code: 'limit-allows-no-missed-probe' }>): string {
  const share = `One missed probe of ${formatCount(probes)} is ${percent(1 - 1 / probes)}`;
  const longer = neededMs === undefined ? '' : ` ${formatDuration(neededMs)} would allow one.`;
  return `${share}: ${named(limit)} allows none in ${formatDuration(windowMs)}.${longer}`;
}

/** Rounded towards the middle: 99.98%, never a 100% that is none. */
function percent(share: number): string {
  const nearest = Math.min(share, 1 - share) * 100;
  const digits = nearest === 0 ? 0 : Math.max(1, Math.ceil(-Math.log10(nearest)));
  return `${trimNumber(share * 100, digits)}%`;
}
