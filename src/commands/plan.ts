import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorCode, LoadctlError } from '../core/errors.js';
import { redactData } from '../core/redact-data.js';
import { renderPlan } from '../reporters/plan-table.js';
import { plannedCapacity } from './call/capacity.js';
import { examples, textOption, withCommonOptions, withProfileOptions } from './call/options.js';
import { planNotes } from './call/plan-notes.js';
import { type Planned, planProfile } from './call/profile.js';
import { tableStyle } from './call/style.js';
import type { CommandModule } from './call/types.js';

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
    const planned = await planProfile(call, 'optional');
    const out = textOption(call.options, 'out');
    if (out !== undefined) await writePlan(resolve(call.shell.cwd, out), planned);
    const notes = planNotes(call, planned);
    const { variables, overrides, unbuilt, refusals } = notes;
    const carried = await plannedCapacity(planned, call.shell);
    const clean = redactData({ plan: planned.plan, notes: { ...notes, carried } }, call.redact);
    const text = renderPlan(clean.plan, clean.notes, await tableStyle(call, 'stdout'));
    return { reasons: [], data: { ...planned.plan, variables, overrides, unbuilt, refusals, capacity: carried?.capacity }, text };
  },
};

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
