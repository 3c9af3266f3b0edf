import { basename } from 'node:path';
import type { LimitPlace } from '../core/criterion.js';
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
import { misfit, misfitIn, misfitOf, type Shape } from './shape.js';

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
  /** What makes the load, hashed: runs of the same one can be compared. Missing in runs of an earlier loadctl. */
  readonly workload?: string;
  /** Where the profile states each of the plan's criteria, in their order; null for one of the command line. */
  readonly limits?: readonly (LimitPlace | null)[];
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
  /** By the ids that the cluster has for them, the images that runners were made from. */
  readonly images?: readonly string[];
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
  const record = (await readJson(directory, runFiles.run)) as Partial<RunRecord> | null | undefined;
  if (record === undefined) throw damaged(directory, `${runFiles.run} is missing`);
  if (record === null) throw damaged(`${directory}/${runFiles.run}`, 'it is not an object');
  if (record.version === undefined) throw damaged(`${directory}/${runFiles.run}`, 'it has no version');
  if (record.version !== layoutVersion) throw otherLayout(basename(directory), record.version);
  const wrong = recordMisfit(record);
  if (wrong !== undefined) throw damaged(`${directory}/${runFiles.run}`, wrong);
  return record as RunRecord;
}

const shapes = {
  record: {
    run: 'text',
    environment: 'text?',
    startedAt: 'number?',
    workload: 'text?',
    gitCommit: 'text?',
    plan: 'fields',
    by: 'fields',
    choices: 'list?',
    scenarios: 'list?',
  },
  plan: { target: 'fields', criteria: 'list', runners: 'list?', steady: 'fields?', load: 'fields?' },
  steady: { from: 'number', to: 'number' },
  by: { user: 'text', host: 'text', pid: 'number' },
  criterion: {
    name: 'text',
    source: 'text',
    metric: 'text',
    stat: 'text',
    operator: 'text',
    limit: 'number',
    unit: 'text',
    window: 'text',
  },
} as const satisfies Readonly<Record<string, Shape>>;

function recordMisfit(record: Partial<RunRecord>): string | undefined {
  const { run, plan, by } = record;
  return (
    misfit(record, shapes.record) ??
    (asRunId(run) === undefined ? 'run is not the id of a run' : undefined) ??
    misfitOf(plan, shapes.plan, 'plan') ??
    misfitIn(plan?.criteria, shapes.criterion, 'plan.criteria') ??
    misfitIn(plan?.runners, { id: 'text' }, 'plan.runners') ??
    (plan?.steady === undefined ? undefined : misfitOf(plan.steady, shapes.steady, 'plan.steady')) ??
    misfitOf(by, shapes.by, 'by')
  );
}

function otherLayout(run: string, version: unknown): LoadctlError {
  const message = `The directory of run ${run} has layout version ${String(version)}; this loadctl reads version ${layoutVersion} only.`;
  return new LoadctlError('unavailable', message, {
    hint: 'loadctl runs shows its stored verdict. Use the loadctl that made it, or run again.',
  });
}
