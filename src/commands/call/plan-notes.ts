import type { LoadctlError } from '../../core/errors.js';
import { readVariables } from '../../k6/script-files.js';
import { isInCloud } from '../../plan/cloud.js';
import { checkGuards, isConfirmation } from '../../plan/guards.js';
import type { Foreseen } from '../../plan/inspection.js';
import type { Plan } from '../../plan/plan.js';
import { unbuiltWords } from '../../plan/unbuilt.js';
import type { PlanNotes } from '../../reporters/plan-table.js';
import type { Planned } from './profile.js';
import type { Call } from './types.js';

/** What is told beside a plan: where values came from, what k6 says of the script, what is not built, which guards would refuse it. */
export function planNotes({ shell }: Call, { plan, loaded, backend, file }: Planned, foreseen: Foreseen | undefined) {
  const confirmed = isConfirmation(shell.env.LOADCTL_CONFIRM, plan);
  const load = foreseen !== undefined && 'load' in foreseen ? foreseen.load : undefined;
  return {
    file,
    variables: loaded.variables,
    overrides: loaded.overrides,
    unbuilt: unbuiltWords(loaded.profile, backend),
    refusals: checkGuards(plan, loaded.profile, { makesLoad: true, confirmed }, load),
    changingHash: changingHash(loaded),
    kept: keptHere(plan),
    foreseen,
    failure: foreseen !== undefined && 'error' in foreseen ? failureOf(foreseen.error) : undefined,
  };
}

/** What the script reads of the variables that loadctl has for it, and that Grafana Cloud does not get. */
function keptHere(plan: Plan): string[] {
  if (!isInCloud(plan)) return [];
  const isOurs = (name: string) => name === 'BASE_URL' || name.startsWith('LOADCTL_') || Object.hasOwn(plan.env, name);
  return readVariables(plan.script).filter((name) => isOurs(name) && plan.fleet.cloud?.env.includes(name) !== true);
}

function failureOf(error: LoadctlError | undefined): PlanNotes['failure'] {
  return error === undefined ? undefined : { message: error.message, lines: error.lines, fix: error.hint };
}

/** The missing variables that stand where no secret does: their values are in the hash. */
function changingHash({ variables, redacted, scriptVariables }: Planned['loaded']): string[] {
  const hashed = JSON.stringify([redacted, scriptVariables]);
  return variables.filter(({ name, from }) => from === 'missing' && hashed.includes(`\${${name}}`)).map(({ name }) => name);
}
