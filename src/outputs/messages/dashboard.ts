import type { RunId } from '../../core/ids.js';
import type { EpochMs } from '../../core/quantities.js';
import type { PlannedOutput } from '../../plan/outputs.js';

/** A dashboard in a Grafana. */
export interface Dashboard {
  readonly url: string;
  readonly uid: string;
}

/** What of a dashboard a link shows; `to` is missing where nobody knows when the load ends. */
export interface Shown {
  readonly run: RunId;
  readonly from: EpochMs;
  readonly to?: EpochMs;
}

/** The dashboard that messages link to: the first one that outputs name. */
export function dashboardOf(outputs: readonly PlannedOutput[]): Dashboard | undefined {
  const grafana = outputs.find((output) => output.kind === 'grafana');
  return grafana && { url: grafana.url, uid: grafana.dashboard };
}

/** A margin before and after, so that a graph shows where it began. */
const marginMs = 10_000;

/** The page of a run in a dashboard; a login in the Grafana's URL is not in it. */
export function dashboardLink({ url, uid }: Dashboard, { run, from, to }: Shown): string {
  const page = new URL(`${url.replace(/[?#].*$/s, '').replace(/\/+$/, '')}/d/${uid}`);
  page.username = '';
  page.password = '';
  page.search = new URLSearchParams({
    from: String(from - marginMs),
    to: to === undefined ? 'now' : String(to + marginMs),
    'var-testid': run,
  }).toString();
  return page.href;
}
