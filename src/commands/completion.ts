import { Argument } from 'commander';
import { LoadctlError } from '../core/errors.js';
import { examples, withCommonOptions } from './call/options.js';
import type { CommandModule } from './call/types.js';
import { completionScript, shells } from './completion/scripts.js';

/** loadctl completion */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(command.addArgument(new Argument('<SHELL>', 'the shell that the script is for').choices(shells)))
      .description('Prints the script that makes a shell complete commands, options, environments and runs.')
      .addHelpText(
        'after',
        examples([
          ['source <(loadctl completion bash)', 'in ~/.bashrc'],
          ['source <(loadctl completion zsh)', 'in ~/.zshrc, below compinit'],
          ['loadctl completion fish > ~/.config/fish/completions/loadctl.fish', 'once'],
        ]),
      ),
  run: async ({ args }) => {
    const shell = shells.find((one) => one === args[0]);
    if (shell === undefined)
      throw new LoadctlError('usage', 'loadctl completion: which shell?', { hint: `Name one of ${shells.join(', ')}.` });
    const script = completionScript(shell);
    return { reasons: [], data: { shell, script }, text: script };
  },
};
