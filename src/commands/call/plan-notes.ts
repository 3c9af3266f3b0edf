import type { LoadctlError } from '../../core/errors.js';
import { checkGuards, isConfirmation } from '../../plan/guards.js';
import type { Foreseen } from '../../plan/inspection.js';
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
    foreseen,
    failure: foreseen !== undefined && 'error' in foreseen ? failureOf(foreseen.error) : undefined,
  };
}

function failureOf(error: LoadctlError | undefined): PlanNotes['failure'] {
  return error === undefined ? undefined : { message: error.message, lines: error.lines, fix: error.hint };
}

/** The missing variables that stand where no secret does: their values are in the hash. */
function changingHash({ variables, redacted, scriptVariables }: Planned['loaded']): string[] {
  const hashed = JSON.stringify([redacted, scriptVariables]);
  return variables.filter(({ name, from }) => from === 'missing' && hashed.includes(`\${${name}}`)).map(({ name }) => name);
}
