import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorCode, LoadctlError } from '../core/errors.js';
import { checkGuards, isConfirmation } from '../plan/guards.js';
import { unbuiltWords } from '../plan/unbuilt.js';
import { renderPlan } from '../reporters/plan-table.js';
import { plannedCapacity } from './call/capacity.js';
import { examples, textOption, withCommonOptions, withProfileOptions } from './call/options.js';
import { type Planned, planProfile } from './call/profile.js';
import { tableStyle } from './call/style.js';
import type { Call, CommandModule } from './call/types.js';

/** loadctl plan */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withProfileOptions(command.option('--out <FILE>', 'write the plan down, for `run --plan FILE`')))
      .description(
        'Shows what a run will do, without touching anything: load by endpoint, what each runner and host has to carry,\nhosts, data, limits, and what stands in the way.\nNo secrets are needed.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl plan --env prod', 'what a run against prod would do'],
          ['loadctl plan --env dev --set workload.vus=10', 'with another value'],
          ['loadctl plan --env prod --out prod.plan', 'to be approved, then: loadctl run --plan prod.plan'],
        ]),
      ),
  run: async (call) => {
    const planned = planProfile(call, 'optional');
    const out = textOption(call.options, 'out');
    if (out !== undefined) await writePlan(resolve(call.shell.cwd, out), planned);
    const notes = planNotes(call, planned);
    const { variables, overrides, unbuilt, refusals } = notes;
    const carried = await plannedCapacity(planned, call.shell);
    const text = renderPlan(planned.plan, { ...notes, carried }, await tableStyle(call, 'stdout'));
    return { reasons: [], data: { ...planned.plan, variables, overrides, unbuilt, refusals, capacity: carried?.capacity }, text };
  },
};

/** What is told beside a plan: where values came from, what is not built, which guards would refuse it. */
export function planNotes({ shell }: Call, { plan, loaded, file }: Planned) {
  const confirmed = isConfirmation(shell.env.LOADCTL_CONFIRM, plan);
  return {
    file,
    variables: loaded.variables,
    overrides: loaded.overrides,
    unbuilt: unbuiltWords(loaded.profile),
    refusals: checkGuards(plan, loaded.profile, { makesLoad: true, confirmed }),
    changingHash: changingHash(loaded),
  };
}

/** The missing variables that stand where no secret does: their values are in the hash. */
function changingHash({ variables, redacted, scriptVariables }: Planned['loaded']): string[] {
  const hashed = JSON.stringify([redacted, scriptVariables]);
  return variables.filter(({ name, from }) => from === 'missing' && hashed.includes(`\${${name}}`)).map(({ name }) => name);
}

async function writePlan(file: string, { plan }: Planned): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(plan, null, 2)}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new LoadctlError('unavailable', `The plan cannot be written to ${file} (${errorCode(cause) ?? 'unknown error'}).`, {
      hint: 'Name another file with --out.',
      cause,
    });
  }
}
