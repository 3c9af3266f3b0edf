import { LoadctlError } from '../core/errors.js';
import { type Resent, resend } from '../phases/outputs/resend.js';
import { counted } from '../reporters/sentences/words.js';
import { findRun } from '../runs/find.js';
import { readRunRecord } from '../runs/record.js';
import { holdResend } from '../runs/resending.js';
import { courseOf } from '../runs/stop.js';
import { examples, withCommonOptions, withProfileOptions } from './call/options.js';
import { planProfile } from './call/profile.js';
import type { CommandModule } from './call/types.js';

/** loadctl resend */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withProfileOptions(command.argument('[RUN]', 'the id or the folder of a run; the latest one here without it')))
      .description(
        'Sends what the outputs of a run could not send while it went on: they were away, or slow.\nWhere to, and the secrets, are those of the profile now.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl resend', 'what is left of the latest run here'],
          ['loadctl resend 20261123-195601-k3x9q --profile load/big.yaml', 'of a run whose profile is not in profiles/'],
        ]),
      ),
  run: async (call) => {
    const { shell, version, redact } = call;
    const directory = await findRun(shell.cwd, call.args[0]);
    const record = await readRunRecord(directory);
    const { run, environment } = record;
    if ((await courseOf(directory, record, shell)) === 'running')
      throw new LoadctlError('unavailable', `Run ${run} is running and sends by itself.`, { hint: 'Wait for its end: loadctl attach' });
    if (!(await holdResend(directory, shell)))
      throw new LoadctlError('unavailable', `Another loadctl sends what run ${run} left.`, {
        hint: `Wait for its end, then see whether something is left: loadctl resend ${run}`,
      });
    const { plan, access } = await planProfile(call, 'required', { environment });
    const stop = new AbortController();
    const stopListening = shell.onInterrupt(() => stop.abort());
    try {
      const outputs = await resend(directory, { plan, access, world: shell, version, redact, signal: stop.signal });
      const text = outputs.length === 0 ? `Run ${run} left nothing to send.\n` : `${outputs.map(lineOf).join('\n')}\n`;
      return { reasons: outputs.some(({ left, lost }) => left + lost > 0) ? ['unavailable'] : [], data: { run, outputs }, text };
    } finally {
      stopListening();
    }
  },
};

function lineOf({ output, unit, sent, left, lost, why }: Resent): string {
  const parts = [
    `${counted(sent, unit)} sent`,
    ...(left > 0 ? [`${counted(left, unit)} left`] : []),
    ...(lost > 0 ? [`${counted(lost, unit)} lost`] : []),
  ];
  return `  ${output}: ${parts.join(', ')}${why === undefined || left + lost === 0 ? '' : ` (${why})`}`;
}
