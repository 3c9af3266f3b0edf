import { withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions, withViewOption } from './call/options.js';
import { withReportOption } from './call/reports.js';
import { session } from './call/session.js';
import type { Call, CommandModule, Outcome } from './call/types.js';
import { firstLook, isWebUrl } from './first/first-look.js';
import { carryOut, withDetachOption } from './phases/elsewhere.js';
import { makeLoad, runCommand } from './phases/run.js';

/** loadctl run */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(
      withViewOption(
        withReportOption(
          withDetachOption(withPlanOption(withProfileOptions(command.argument('[URL]', 'instead of a profile: a first look at one page')))),
        ),
      ),
    )
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
    return carryOut(call, runCommand, {});
  },
};

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
