import { Command, CommanderError } from 'commander';
import { LoadctlError } from '../../core/errors.js';
import type { Call, CommandModule } from './types.js';

/** The words after a command, read: or the help that they ask for. */
export type ReadCall = Pick<Call, 'args' | 'options'> | { readonly help: string };

/** Reads the words after a command. Throws `usage` for what the command does not know, with the nearest that it does. */
export function readCall(module: CommandModule, name: string, words: readonly string[]): ReadCall {
  let help = '';
  const command = module.describe(
    new Command(`loadctl ${name}`)
      .exitOverride()
      .configureHelp({ helpWidth: 100 })
      .configureOutput({
        writeOut: (text) => {
          help += text;
        },
        writeErr: () => {},
      })
      .helpOption('-h, --help', 'this help')
      .action(() => {}),
  );
  try {
    command.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { help };
    throw error.code === 'commander.excessArguments' ? tooMany(name, command) : usageError(name, error);
  }
  return { args: command.args, options: command.opts() };
}

function tooMany(name: string, command: Command): LoadctlError {
  const first = command.args[command.registeredArguments.length] ?? '';
  const takesEnvironment = command.options.some(({ long }) => long === '--env');
  const hint = takesEnvironment ? `Did you mean --env ${first}?` : `loadctl ${name} --help says what it takes.`;
  return new LoadctlError('usage', `loadctl ${name}: \`${first}\` is one word too many`, { hint });
}

/** What follows the `=` of an option that nobody knows may be a secret. */
function usageError(name: string, { message }: CommanderError): LoadctlError {
  const [first = '', ...more] = message
    .replace(/^error: /, '')
    .replace(/'(--?[\w-]+)=.*'/s, "'$1=…'")
    .split('\n');
  const near = /\(Did you mean (.+)\?\)/.exec(more.join(' '))?.[1];
  const hint = near === undefined ? `loadctl ${name} --help says what it takes.` : `Did you mean ${near}?`;
  return new LoadctlError('usage', `loadctl ${name}: ${first}`, { hint });
}
