import type { Crossing } from '../../core/criterion.js';
import type { RunnerId } from '../../core/ids.js';
import type { RunnerEnd } from '../../core/outcome.js';
import { formatDuration, type LiveValue, type Unit } from '../../core/quantities.js';
import type { Stop } from '../../core/stop.js';
import { formatLimit, formatValue } from '../../metrics/limit-text.js';
import { endText } from './end.js';

/** Why a load ended before its time, as a sentence. */
export function stopReason(stop: Stop): string {
  switch (stop.cause) {
    case 'signal':
      return 'The run was interrupted (Ctrl-C or SIGTERM).';
    case 'asked':
      return `The run was stopped${stop.by === undefined ? '' : ` by ${stop.by.user} on ${stop.by.host}`} (loadctl stop).`;
    case 'unfollowed':
      return `No client has followed the run for ${formatDuration(stop.forMs)} (onClientLost).`;
    case 'script':
      return `The test was aborted in runner ${stop.runner}.`;
    case 'threshold':
    case 'rule':
      return crossingReason(stop);
    case 'runner-lost':
      return `Runner ${stop.runner} was lost: ${endText(stop.end)}.`;
    case 'lock-lost':
    case 'live-colour':
    case 'directory-lost':
    case 'failed':
      return stop.error.message;
  }
}

/** What to do about it, where the error behind it knows. */
export function stopHint(stop: Stop): { readonly hint?: string } {
  return 'error' in stop && stop.error.hint !== undefined ? { hint: stop.error.hint } : {};
}

/** Why the test was aborted in a runner, as a sentence: the script did it, or k6 had a reason of its own. */
export function abortReason(runner: RunnerId, { said = '' }: RunnerEnd): string {
  const byScript = said === '' || said.startsWith(abortCall);
  const [what, why] = byScript
    ? [`The script called test.abort() in runner ${runner}`, said.slice(abortCall.length).trim()]
    : [`k6 aborted the test in runner ${runner}`, said];
  return why === '' ? `${what}.` : `${what}: ${why.replace(/\.$/, '')}.`;
}

/** How the words of an abort begin that the script asked for. */
const abortCall = 'test.abort():';

/** What the fleet crossed, as a sentence. */
function crossingReason(crossing: Crossing): string {
  if (crossing.cause === 'threshold') {
    const { criterion, actual, elapsedMs } = crossing;
    const when = `was crossed after ${formatDuration(elapsedMs)}`;
    return `The script's threshold ${criterion.name} ${formatLimit(criterion)} ${when}: it was ${valueText(actual, criterion)}.`;
  }
  const { where, rule } = crossing;
  const { when, for: lasting } = rule;
  const held = lasting > 0 ? ` for ${formatDuration(lasting)}` : '';
  return `The abort rule ${when.name} ${formatLimit(when)} held${held}: it was ${valueText(crossing.actual, when)}${where === undefined ? '' : ` (${where})`}.`;
}

function valueText({ value, low, high }: LiveValue, { unit, limit }: { readonly unit: Unit; readonly limit: number }): string {
  const text = (number: number) => formatValue(number, unit, limit);
  return low === high ? text(value) : `between ${text(low)} and ${text(high)}`;
}
