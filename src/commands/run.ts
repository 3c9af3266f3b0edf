import type { RunId } from '../core/ids.js';
import { lockForRun } from '../phases/data/pool.js';
import { type PhaseContext, profileOption } from '../phases/frame/context.js';
import { loadBy } from '../phases/load-by.js';
import type { KnownTest } from '../phases/run/inspect-test.js';
import { approvedPlan, withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions, withViewOption } from './call/options.js';
import type { Planned } from './call/profile.js';
import { type Reports, withReportOption } from './call/reports.js';
import { type Done, knownTest, session } from './call/session.js';
import type { Call, CommandModule, Outcome } from './call/types.js';
import type { ClusterRun } from './cluster/run-on-cluster.js';
import { firstLook, isWebUrl } from './first/first-look.js';

/** loadctl run */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(
      withViewOption(
        withReportOption(withPlanOption(withProfileOptions(command.argument('[URL]', 'instead of a profile: a first look at one page')))),
      ),
    )
      .option('--detach', 'kubernetes: begin the run and leave; loadctl attach follows it')
      .description(
        'Runs k6 from many runners as one test, and judges it against the SLA.\nCtrl-C ends the load, tears down, and keeps what was measured.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl run http://127.0.0.1:8080/', 'a first look without a profile: 10 VUs, 30 s'],
          ['loadctl run --env dev', 'the load of profiles/dev.yaml'],
          ['loadctl run --env dev --set workload.vus=10 --set workload.duration=30s', 'a smaller one'],
          ['loadctl run --env dev -e FEATURE=on', 'with a variable for the script'],
          ['LOADCTL_CONFIRM=staging@3f9a0c52b1de loadctl run --plan staging.plan', 'what was approved, in CI'],
        ]),
      ),
  stray: (args) => args.find((word) => !isWebUrl(word)),
  run: async (call) => {
    const [url] = call.args;
    if (url !== undefined) return lookAt(call, url);
    const detach = call.options.detach === true;
    const elsewhere = (planned: Planned, reports: Reports) => (isPods(planned) ? onCluster(call, { planned, reports, detach }) : undefined);
    const act = { command: 'run', does: ['load'], elsewhere, ...(await approvedPlan(call)) } as const;
    return session(call, act, makeLoad);
  },
};

async function makeLoad(context: PhaseContext, known: KnownTest | undefined): Promise<Done> {
  const { origin, profile, world } = context;
  const named = profileOption({ file: origin.file, environment: profile.environment, cwd: world.cwd });
  const take = (id: RunId) => lockForRun({ ...context, named, run: id });
  const { reasons } = await loadBy(context, { test: knownTest(known), lock: { take } });
  return { reasons };
}

/** A first look at one page, which nobody wrote a profile for. */
async function lookAt(call: Call, url: string): Promise<Outcome> {
  return session(call, { command: 'run', does: ['load'], fallback: firstLook(call, url) }, async (context, known) => {
    const { load, pacing } = context.plan;
    context.emit({
      type: 'noted',
      code: 'first-look',
      url: new URL(url).origin,
      vus: load?.vus ?? 1,
      durationMs: load?.duration ?? 0,
      everyMs: pacing ?? 0,
    });
    return makeLoad(context, known);
  });
}

/** Whether another loadctl, in a pod, carries the plan out. */
function isPods({ loaded, backend }: Planned): boolean {
  const { runners } = loaded.profile;
  return runners.backend === 'kubernetes' && runners.kubernetes !== undefined && backend.isBuilt;
}

/** Loaded where it is needed: few speak to a cluster. */
async function onCluster(call: Call, run: ClusterRun): Promise<Outcome> {
  const { runOnCluster } = await import('./cluster/run-on-cluster.js');
  return runOnCluster(call, run);
}
