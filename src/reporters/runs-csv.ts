import type { RunNumbers } from '../metrics/compare/numbers.js';

const columns = ['p50', 'p95', 'p99', 'throughput', 'errors'] as const;

/**
 * Runs with a valid result as CSV (RFC 4180, with the line ends of Unix), in their order: what tools for change points read. Latencies are in milliseconds, throughput in
 * requests a second, errors a share 0…1; of all requests in the judged window. A number that a run lacks is empty.
 */
export function runsCsv(runs: readonly RunNumbers[]): string {
  const head = ['time', 'run', 'environment', 'workload', 'commit', 'verdict', 'p50_ms', 'p95_ms', 'p99_ms', 'throughput', 'errors'];
  const lines = runs.map((run) => [
    new Date(run.startedAt).toISOString(),
    run.run,
    run.environment,
    run.workload?.slice(0, workloadDigits) ?? '',
    run.commit ?? '',
    run.verdict,
    ...columns.map((name) => String(run.numbers.find((one) => one.name === name)?.value ?? '')),
  ]);
  return `${[head, ...lines].map((line) => line.map(cell).join(',')).join('\n')}\n`;
}

/** Of the hash: enough to tell workloads apart, as git shortens its own. */
const workloadDigits = 12;

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
