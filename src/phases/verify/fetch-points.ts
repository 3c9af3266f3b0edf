import { LoadctlError } from '../../core/errors.js';
import type { RunId } from '../../core/ids.js';
import type { World } from '../../core/os.js';
import { redacted } from '../../core/secrets.js';
import { type Access, withSecrets } from '../../plan/access.js';
import { allowsHostIn } from '../../plan/guards.js';
import type { PlannedMonitor } from '../../plan/monitors.js';
import type { Plan } from '../../plan/plan.js';
import { runFiles } from '../../runs/layout.js';
import { readEvents } from '../../runs/read.js';
import { type RunRecord, readRunRecord } from '../../runs/record.js';
import { writeLines } from '../../runs/write.js';
import { type KeptLine, lateSources, pointsOf } from '../watch/late-points.js';
import { loadIn, readMonitorLines } from './server-evidence.js';

/** The profile of a run as it is now, for the credentials that a run directory does not keep. */
export interface ProfileNow {
  readonly plan: Plan;
  readonly access: Access;
}

/** What was fetched of one source. */
export interface FetchedPoints {
  readonly monitor: string;
  readonly source: string;
  readonly points: number;
}

/**
 * Asks the sources that tell late (CloudWatch) once more about the whole load of a run that is over, and writes what they say into its
 * monitors.ndjson: it is judged in place of what they said before. Throws `unavailable` where one of them cannot be asked.
 */
export async function fetchPoints(
  directory: string,
  { clock, spawn }: Pick<World, 'clock' | 'spawn'>,
  now: ProfileNow | undefined,
): Promise<readonly FetchedPoints[]> {
  const record = await readRunRecord(directory);
  const events = await readEvents(directory);
  const released = events.find(({ type }) => type === 'fleet-released');
  if (released === undefined) return [];
  const context = { label: `loadctl/${record.run}`, clock, spawn, allowsHost: (host: string) => allowsHostIn(record.plan.allow, host) };
  const monitors = withCredentials(record, now);
  if (monitors.length === 0) return [];
  const { probesOf } = await import('../../monitors/index.js');
  const opened = monitors.map((monitor) => ({ monitor, probes: probesOf(monitor, context) }));
  const lines: KeptLine[] = [];
  const fetched: FetchedPoints[] = [];
  try {
    for (const source of lateSources(opened)) {
      const points = await pointsOf(source, loadIn(events), released.at - released.t);
      lines.push(...points);
      fetched.push({ monitor: source.monitor.name, source: source.probe.source, points: points.length });
    }
  } finally {
    for (const { probes } of opened) for (const probe of probes) probe.drop();
  }
  if (lines.length > 0) await writeLines(directory, runFiles.monitors, [...(await readMonitorLines(directory)), ...lines]);
  return fetched;
}

/** The run's own monitors of the kinds that tell late, with the credentials that monitors of their names have now. */
function withCredentials({ run, environment, plan }: RunRecord, now: ProfileNow | undefined): PlannedMonitor[] {
  const known = now === undefined ? [] : withSecrets(now.plan, now.access).monitors;
  return (plan.monitors ?? []).flatMap((monitor): PlannedMonitor[] => {
    if (monitor.kind !== 'cloudwatch') return [];
    if (monitor.credentials === undefined) return [monitor];
    const named = known.find(({ name }) => name === monitor.name);
    const credentials = named?.kind === 'cloudwatch' ? named.credentials : undefined;
    if (credentials === undefined && Object.values(monitor.credentials).includes(redacted))
      throw noCredentials(monitor.name, run, environment);
    return [{ ...monitor, credentials: credentials ?? monitor.credentials }];
  });
}

function noCredentials(monitor: string, run: RunId, environment: string): LoadctlError {
  return new LoadctlError('usage', `The credentials of the monitor ${monitor} are in the profile: a run keeps no secrets.`, {
    hint: `Name the profile: loadctl verify ${run} --fetch --env ${environment}`,
  });
}
