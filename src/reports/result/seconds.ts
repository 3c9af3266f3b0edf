import type { FleetLine } from '../../metrics/fleet-second.js';
import { type Column, columnFold, mostColumns } from './columns.js';

/** Measures whose mean says nothing. */
export const percentileNames: ReadonlySet<string> = new Set(['p50', 'p95', 'p99']);

/** The load, second by second or in longer steps. */
export interface SecondCourse {
  /** `requestsPerSecond`, `failedPerSecond`, `vus`, `p50`, `p95`, `p99` (milliseconds). */
  readonly columns: readonly Column[];
  /** Failed requests a second, by their status; empty where none failed. */
  readonly failed: readonly Column[];
}

/** Takes the lines of timeseries.ndjson in, in their order; what it takes does not grow with them. */
export function secondFold(): { add(line: FleetLine): void; read(): SecondCourse } {
  const whole = columnFold({ most: mostColumns, peaks: percentileNames });
  const byStatus = columnFold({ most: mostColumns });
  const statuses = new Set<string>();
  let before: Pick<FleetLine, 'elapsedMs' | 'failedRequests'> = { elapsedMs: 0, failedRequests: 0 };
  return {
    add: (line) => {
      const [from, to] = [before.elapsedMs, line.elapsedMs];
      const seconds = Math.max(0.001, (to - from) / 1000);
      const { requestsPerSecond, vus, latency, failedBy = {} } = line;
      const failedPerSecond = Math.max(0, line.failedRequests - before.failedRequests) / seconds;
      const percentiles = { p50: latency?.p50.value, p95: latency?.p95.value, p99: latency?.p99.value };
      whole.add({ from, to, values: { requestsPerSecond, failedPerSecond, vus, ...percentiles } });
      for (const status of Object.keys(failedBy)) statuses.add(status);
      const failed = [...statuses].map((status) => [statusText(status), (failedBy[status] ?? 0) / seconds] as const);
      byStatus.add({ from, to, values: Object.fromEntries(failed) });
      before = line;
    },
    read: () => ({ columns: whole.read(), failed: statuses.size === 0 ? [] : byStatus.read() }),
  };
}

function statusText(status: string): string {
  return status === '0' ? 'no answer' : `status ${status}`;
}
