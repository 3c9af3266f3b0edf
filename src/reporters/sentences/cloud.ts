import type { CloudOutcome } from '../../core/cloud.js';
import type { LoggedEvent } from '../../core/events.js';
import { formatDuration } from '../../core/quantities.js';
import type { Sentence } from './sentence.js';

/** How a run in Grafana Cloud ended, as a sentence. */
export function cloudEndText({ how, exitCode, said, elapsedMs }: CloudOutcome): string {
  const words = said === undefined ? '' : `: ${said.replace(/\.?$/, '')}`;
  switch (how) {
    case 'passed':
      return `The run in Grafana Cloud ended after ${formatDuration(Math.round(elapsedMs / 1000) * 1000)}, and all thresholds held.`;
    case 'thresholds-failed':
      return 'Thresholds failed in Grafana Cloud; which ones, and by what numbers, its page says.';
    case 'failed':
      return 'The run failed in Grafana Cloud before it came to its end (k6 exit 97); why, its page says.';
    case 'aborted':
      return 'Grafana Cloud aborted the run; why, its page says.';
    case 'aborted-by-user':
      return 'The run was aborted in Grafana Cloud by a user.';
    case 'progress-lost':
      return `k6 could not follow the run in Grafana Cloud (k6 exit 98)${words}. It may go on there.`;
    case 'left':
      return `loadctl left the run in Grafana Cloud${words}. It may go on there.`;
    case 'unknown':
      return `k6 ended (exit ${exitCode ?? 'unknown'}) while it followed the run in Grafana Cloud${words}. It may go on there.`;
  }
}

/** What happens to a run in Grafana Cloud, in a line. */
export function cloudSentence(event: Extract<LoggedEvent, { type: `cloud-run-${string}` }>): Sentence {
  if (event.type === 'cloud-run-started') return { tone: 'plain', text: `Grafana Cloud has the run: ${event.url}` };
  if (event.type === 'cloud-run-reached') return { tone: 'plain', text: `Grafana Cloud: ${event.state}` };
  return { tone: event.how === 'passed' ? 'good' : 'bad', text: cloudEndText(event) };
}
