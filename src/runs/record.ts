import type { World } from '../core/os.js';
import type { EpochMs } from '../core/quantities.js';
import { redactUrl } from '../core/secrets.js';
import type { Choice } from '../metrics/choices.js';
import type { PhaseContext } from '../phases/frame/context.js';
import type { PreparedTest } from '../phases/run/prepare.js';
import { countedChoices } from '../plan/choices.js';
import type { Plan } from '../plan/plan.js';
import { type LoadTarget, shownTarget } from '../plan/target.js';
import { damaged, layoutVersion, readJson, runFiles } from './run-directory.js';

/** run.json: what was run, by whom, with what; no secrets. */
export interface RunRecord {
  readonly version: typeof layoutVersion;
  readonly run: string;
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
  /** Whether iterations of the judged window carry its tag; where it is missing they do. */
  readonly tagged?: boolean;
  /** What the script draws and counts, with the shares that it was asked for. */
  readonly choices?: readonly Choice[];
  readonly archiveSha256: string;
  readonly versions: { readonly loadctl: string; readonly k6: string; readonly node: string };
  readonly by: { readonly user: string; readonly host: string; readonly pid: number };
  readonly ciLink?: string;
  readonly gitCommit?: string;
}

/** Writes down what this run is. */
export async function recordRun(context: PhaseContext, test: PreparedTest, run: string): Promise<RunRecord> {
  const { loaded, plan, world, version } = context;
  const ciLink = linkOfCi(world.env);
  const gitCommit = await commitHere(world);
  return {
    version: layoutVersion,
    run,
    environment: plan.environment,
    startedAt: world.clock.now(),
    profile: loaded.redacted,
    variables: loaded.variables,
    overrides: loaded.overrides,
    plan,
    target: shownTarget(context.target),
    scriptThresholds: test.options.thresholds ?? {},
    tagged: test.tagged,
    choices: countedChoices(context.profile.workload, test.script.counters),
    archiveSha256: test.archiveSha256,
    versions: { loadctl: version, k6: test.k6Version, node: world.versions.node },
    by: { ...world.who, pid: world.pid },
    ...(ciLink === undefined ? {} : { ciLink }),
    ...(gitCommit === undefined ? {} : { gitCommit }),
  };
}

/** run.json of a run directory. Throws `unavailable` where it is missing, damaged, or of another version. */
export async function readRunRecord(directory: string): Promise<RunRecord> {
  const record = (await readJson(directory, runFiles.run)) as Partial<RunRecord> | undefined;
  if (record === undefined) throw damaged(directory, `${runFiles.run} is missing`);
  if (record.version !== layoutVersion)
    throw damaged(`${directory}/${runFiles.run}`, `its layout is version ${String(record.version)}, this loadctl reads ${layoutVersion}`);
  const whole =
    typeof record.run === 'string' &&
    Array.isArray(record.plan?.criteria) &&
    typeof record.plan.target === 'object' &&
    typeof record.by === 'object';
  if (!whole) throw damaged(`${directory}/${runFiles.run}`, 'run, plan or by is missing');
  return record as RunRecord;
}

function linkOfCi(env: World['env']): string | undefined {
  if (env.GITHUB_SERVER_URL && env.GITHUB_REPOSITORY && env.GITHUB_RUN_ID) {
    return `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}`;
  }
  const link = env.CI_JOB_URL ?? env.BUILD_URL;
  return link === undefined ? undefined : redactUrl(link);
}

async function commitHere({ execute, cwd, env }: World): Promise<string | undefined> {
  const output = await execute({ file: 'git', args: ['rev-parse', 'HEAD'], cwd, env: { PATH: env.PATH ?? '' } }, { timeoutMs: 2000 });
  return output.exitCode === 0 ? output.stdout.trim() : undefined;
}
