import { join } from 'node:path';

/** The version of a run directory's layout; see docs/run-directory.md. */
export const layoutVersion = 2;

/** The files of a run directory, by what is in them. */
export const runFiles = {
  run: 'run.json',
  events: 'events.ndjson',
  archive: 'test.tar',
  runners: 'runners',
  timeseries: 'timeseries.ndjson',
  histograms: 'histograms.ndjson',
  generators: 'generators.ndjson',
  monitors: 'monitors.ndjson',
  summary: 'summary.json',
  verdict: 'verdict.json',
  receipt: 'receipt.json',
  report: 'report.html',
  outputs: 'outputs',
  cloud: 'cloud.ndjson',
  stop: 'stop.json',
  reserve: '.reserve',
} as const;

/** Where loadctl keeps what it has to remember below a working directory. */
export function stateRoot(cwd: string): string {
  return join(cwd, '.loadctl');
}

/** The files below {@link stateRoot} that remember an environment's data from one command to the next. */
export function rememberedFiles(environment: string) {
  return {
    before: `before-${environment}.json`,
    removed: `removed-${environment}.ndjson`,
    parents: `parents-${environment}.ndjson`,
  } as const;
}

/** Where runs live below a working directory. */
export function runsRoot(cwd: string): string {
  return join(stateRoot(cwd), 'runs');
}
