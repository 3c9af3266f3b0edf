import { basename } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import { asRunId, type RunId } from '../core/ids.js';
import type { ProcessMark } from '../core/os.js';
import type { EpochMs } from '../core/quantities.js';
import type { Choice } from '../metrics/choices.js';
import type { Scenario } from '../plan/inspection.js';
import type { Plan } from '../plan/plan.js';
import type { LoadTarget } from '../plan/target.js';
import { layoutVersion, runFiles } from './layout.js';
import { damaged, readJson } from './read.js';

/** run.json: what was run, by whom, with what; no secrets. */
export interface RunRecord {
  readonly version: typeof layoutVersion;
  readonly run: RunId;
  readonly environment: string;
  readonly startedAt: EpochMs;
  /** The effective profile, secrets removed. */
  readonly profile: unknown;
  /** Where each variable's value came from. */
  readonly variables: unknown;
  /** What `--set` and `-e` changed for this run. */
  readonly overrides: unknown;
  readonly plan: Plan;
  /** What was loaded; behind colours, with the one that was live. */
  readonly target: LoadTarget;
  /** The script's thresholds, in k6's words. */
  readonly scriptThresholds: unknown;
  /** What k6 said of the test's scenarios before it ran. */
  readonly scenarios?: readonly Scenario[];
  /** Whether iterations of the judged window carry its tag; where it is missing they do. */
  readonly tagged?: boolean;
  /** What the script draws and counts, with the shares that it was asked for. */
  readonly choices?: readonly Choice[];
  readonly archiveSha256: string;
  readonly versions: { readonly loadctl: string; readonly k6: string; readonly node: string };
  readonly by: { readonly user: string; readonly host: string } & ProcessMark;
  readonly ciLink?: string;
  readonly gitCommit?: string;
}

/** The environment that run.json names, whatever the version of its layout; undefined where it names none. */
export async function environmentOf(directory: string): Promise<string | undefined> {
  const { environment } = ((await readJson(directory, runFiles.run)) ?? {}) as Partial<RunRecord>;
  return typeof environment === 'string' ? environment : undefined;
}

/** run.json of a run directory. Throws `unavailable` where it is missing, damaged, or of another version. */
export async function readRunRecord(directory: string): Promise<RunRecord> {
  const record = (await readJson(directory, runFiles.run)) as Partial<RunRecord> | undefined;
  if (record === undefined) throw damaged(directory, `${runFiles.run} is missing`);
  if (record.version !== layoutVersion) throw otherLayout(basename(directory), record.version);
  const whole =
    asRunId(record.run) !== undefined &&
    Array.isArray(record.plan?.criteria) &&
    typeof record.plan.target === 'object' &&
    typeof record.by === 'object';
  if (!whole) throw damaged(`${directory}/${runFiles.run}`, 'run, plan or by is missing');
  return record as RunRecord;
}

function otherLayout(run: string, version: unknown): LoadctlError {
  const message = `The directory of run ${run} has layout version ${String(version)}; this loadctl reads version ${layoutVersion} only.`;
  return new LoadctlError('unavailable', message, {
    hint: 'loadctl runs shows its stored verdict. Use the loadctl that made it, or run again.',
  });
}
