import { LoadctlError } from '../../core/errors.js';
import { type Tried, tryOutputs } from '../../phases/outputs/try-outputs.js';
import { type Finding, renderDoctor } from '../../reporters/doctor-table.js';
import { planProfile } from './profile.js';
import { tableStyle } from './style.js';
import type { Call, Outcome } from './types.js';

/** What `doctor --outputs` does: it sends a test, and no guard is asked, as it makes no load. */
export async function testOutputs(call: Call): Promise<Outcome> {
  const { shell: world, version, redact, options } = call;
  const { plan, access } = await planProfile(call, 'required');
  const only = typeof options.outputs === 'string' ? options.outputs : undefined;
  const names = plan.outputs.map(({ name }) => name);
  if (only !== undefined && !names.includes(only)) {
    throw new LoadctlError('usage', `The profile has no output ${only}.`, {
      hint: names.length === 0 ? 'It has none: docs/outputs.md says how to add one.' : `It has ${names.join(', ')}.`,
    });
  }
  const tried = await tryOutputs({ plan, access, world, version, redact, ...(only === undefined ? {} : { only }) });
  const outputs = tried.map(findingOf);
  const text = outputs.length === 0 ? 'The profile has no outputs.\n' : renderDoctor(outputs, await tableStyle(call, 'stdout'));
  return { reasons: tried.some(({ is }) => is === 'failed') ? ['unavailable'] : [], data: { outputs }, text };
}

function findingOf({ output, kind, is, why = '' }: Tried): Finding {
  switch (is) {
    case 'found':
      return { what: output, state: 'good', said: `${kind}: took a test, and has it` };
    case 'taken':
      return { what: output, state: 'good', said: `${kind}: took a test; whether it arrived is not looked up` };
    case 'nothing':
      return { what: output, state: 'good', said: `${kind}: without \`token\` nothing is sent; messages link to it` };
    case 'pages':
      return {
        what: output,
        state: 'unknown',
        said: `${kind}: not tried`,
        more: `A test opens an incident: loadctl doctor --outputs=${output}`,
      };
    case 'failed':
      return { what: output, state: 'missing', said: `${kind}: ${why}` };
  }
}
