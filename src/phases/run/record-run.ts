import type { RunId } from '../../core/ids.js';
import type { World } from '../../core/os.js';
import { countedChoices } from '../../plan/choices.js';
import { shownTarget } from '../../plan/target.js';
import { workloadHash } from '../../plan/workload-hash.js';
import { ciLink } from '../../runs/ci-link.js';
import { layoutVersion } from '../../runs/layout.js';
import type { RunRecord } from '../../runs/record.js';
import type { RunContext } from '../frame/context.js';
import type { PreparedTest } from './prepare.js';
import type { TestShape } from './test-shape.js';

/** What of a prepared test is written down. */
type RecordedTest = TestShape & Pick<PreparedTest, 'archiveSha256' | 'k6Version'>;

/** Writes down what this run is. */
export async function recordRun(context: RunContext, test: RecordedTest, run: RunId): Promise<RunRecord> {
  const { origin, plan, world, version } = context;
  const link = ciLink(world.env);
  const gitCommit = await commitHere(world);
  return {
    version: layoutVersion,
    run,
    environment: plan.environment,
    startedAt: world.clock.stamp(),
    profile: origin.profile,
    variables: origin.variables,
    overrides: origin.overrides,
    plan,
    workload: workloadHash(plan),
    limits: origin.limits,
    target: shownTarget(context.target),
    scriptThresholds: test.options.thresholds ?? {},
    scenarios: test.load.scenarios,
    tagged: test.tagged,
    choices: countedChoices(plan.draws, test.inspection.counters),
    archiveSha256: test.archiveSha256,
    versions: { loadctl: version, k6: test.k6Version, node: world.versions.node },
    by: { ...world.who, ...(await world.mark()) },
    ...(link === undefined ? {} : { ciLink: link }),
    ...(gitCommit === undefined ? {} : { gitCommit }),
  };
}

async function commitHere({ execute, cwd, env }: World): Promise<string | undefined> {
  const output = await execute({ file: 'git', args: ['rev-parse', 'HEAD'], cwd, env: { PATH: env.PATH ?? '' } }, { timeoutMs: 2000 });
  return output.exitCode === 0 ? output.stdout.trim() : undefined;
}
