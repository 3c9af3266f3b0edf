import { LoadctlError } from '../core/errors.js';
import type { Milliseconds } from '../core/quantities.js';
import { textOption, withCommonOptions } from './call/options.js';
import type { Call, CommandModule } from './call/types.js';
import { conduct } from './conductor/conduct.js';
import { type Patience, patience } from './conductor/desk.js';

/** The port that a pod's conductor listens on; nothing else listens in there. */
const usualPort = 7440;

/** loadctl conduct: what a conductor's pod runs. */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(command)
      .option('--port <N>', `the port on loopback; ${usualPort} without it, 0: any that is free`)
      .option('--wait <S>', `seconds that it waits for the hand-in; ${patience.handInMs / 1000} without it`)
      .option('--linger <S>', `seconds that it goes on after the first complete copy; ${patience.afterCopyMs / 1000} without it`)
      .option('--answer <S>', `seconds that a question waits for its answer; ${patience.answerMs / 1000} without it`)
      .option('--variables <DIR>', 'a folder with a file for each variable that is not handed in')
      .description('Conducts one command that is handed in on loopback. loadctl starts it in a pod (runners.backend: kubernetes).'),
  run: async (call) => conduct(call, { port: portOf(call), variables: textOption(call.options, 'variables'), patience: patienceOf(call) }),
};

function patienceOf({ options }: Call): Patience {
  return {
    handInMs: msOf(options, 'wait', patience.handInMs),
    afterCopyMs: msOf(options, 'linger', patience.afterCopyMs),
    answerMs: msOf(options, 'answer', patience.answerMs),
  };
}

function msOf(options: Call['options'], name: string, usual: Milliseconds): Milliseconds {
  const text = textOption(options, name);
  if (text === undefined) return usual;
  if (/^\d{1,5}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  throw new LoadctlError('usage', `--${name} ${text} is not a number of seconds`, {
    hint: `Type: loadctl conduct --${name} ${usual / 1000}`,
  });
}

function portOf({ options }: Call): number {
  const text = textOption(options, 'port') ?? String(usualPort);
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new LoadctlError('usage', `--port ${text} is not a port`, { hint: `Type: loadctl conduct --port ${usualPort}` });
}
