import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ExitReason, errorCode, LoadctlError } from '../core/errors.js';
import { redactData } from '../core/redact-data.js';
import { scriptThresholds } from '../metrics/threshold.js';
import type { Foreseen } from '../plan/inspection.js';
import { renderPlan } from '../reporters/plan-table.js';
import { type CapacityNote, plannedCapacity } from './call/capacity.js';
import { foresee } from './call/foresee.js';
import { examples, textOption, withCommonOptions, withProfileOptions } from './call/options.js';
import { planNotes } from './call/plan-notes.js';
import { type Planned, planProfile } from './call/profile.js';
import { tableStyle } from './call/style.js';
import type { CommandModule } from './call/types.js';

/** loadctl plan */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withProfileOptions(command.option('--out <FILE>', 'write the plan to a file, for `run --plan FILE`')))
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
    const foreseen = await foresee(call, planned);
    const notes = planNotes(call, planned, foreseen);
    const { variables, overrides, unbuilt, refusals } = notes;
    const carried = await plannedCapacity(planned, foreseen, call.shell);
    const clean = redactData({ plan: planned.plan, notes: { ...notes, carried } }, call.redact);
    const text = renderPlan(clean.plan, clean.notes, await tableStyle(call, 'stdout'));
    const told = { ...planned.plan, ...foreseenData(planned, foreseen), variables, overrides, unbuilt, refusals };
    return {
      reasons: reasonsAgainst(planned, foreseen, { ...notes, carried }),
      data: { ...told, capacity: carried?.capacity, pods: carried?.pods },
      text,
    };
  },
};

/** What k6 says of the script, beside the plan that it is no part of. */
function foreseenData({ plan }: Planned, foreseen: Foreseen): Record<string, unknown> {
  const { fetched } = foreseen;
  if ('because' in foreseen) return { inspection: { unknown: foreseen.because, fetched } };
  const { vus, durationMs, iterationsPerSecond, scenarios } = foreseen.load;
  const own =
    plan.load === undefined
      ? { load: { vus, duration: durationMs }, ...(iterationsPerSecond === undefined ? {} : { iterationsPerSecond }) }
      : {};
  const thresholds = Object.entries(scriptThresholds(foreseen.inspection.options.thresholds));
  return {
    ...own,
    scenarios: Object.fromEntries(scenarios.map(({ name, ...scenario }) => [name, scenario])),
    thresholds: Object.fromEntries(thresholds.map(([metric, list]) => [metric, list.map(({ source }) => source)])),
    inspection: { fetched },
  };
}

/** What a run of this plan would end with, as far as that is known: what can still be given counts for nothing. */
function reasonsAgainst({ loaded, backend }: Planned, foreseen: Foreseen, { refusals, unbuilt, carried }: Against): ExitReason[] {
  const unset = loaded.variables.some(({ from }) => from === 'missing');
  const lasting = refusals.filter(({ guard, message }) => guard !== 'confirm' && !(unset && message.includes('${')));
  const unfit = backend.isHere && carried?.capacity.problems.some(({ certain }) => certain) === true;
  return [
    ...(unbuilt.length > 0 || unfit ? (['unavailable'] as const) : []),
    ...(lasting.length > 0 ? (['refused'] as const) : []),
    ...('error' in foreseen && foreseen.error !== undefined ? [foreseen.error.reason] : []),
  ];
}

type Against = Pick<ReturnType<typeof planNotes>, 'refusals' | 'unbuilt'> & { readonly carried: CapacityNote | undefined };

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
