import { join } from 'node:path';
import type { EpochMs } from '../core/quantities.js';

/** The version of a run directory's layout; see docs/run-directory.md. */
export const layoutVersion = 2;

/** The files of a run directory, by what is in them. */
export const runFiles = {
  run: 'run.json',
  events: 'events.ndjson',
  archive: 'test.tar',
  runners: 'runners',
  timeseries: 'timeseries.ndjson',
  generators: 'generators.ndjson',
  summary: 'summary.json',
  verdict: 'verdict.json',
  receipt: 'receipt.json',
  stop: 'stop.json',
} as const;

/** A run's id: sortable by time, unique enough for ids that are made from it: `20261123-195601-k3x9q`. */
export function makeRunId(now: EpochMs, random: () => number = Math.random): string {
  const stamp = new Date(now).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const suffix = Array.from({ length: 5 }, () => Math.floor(random() * 36).toString(36)).join('');
  return `${stamp}-${suffix}`;
}

/** Where loadctl keeps what it has to remember below a working directory. */
export function stateRoot(cwd: string): string {
  return join(cwd, '.loadctl');
}

/** Where runs live below a working directory. */
export function runsRoot(cwd: string): string {
  return join(stateRoot(cwd), 'runs');
}
