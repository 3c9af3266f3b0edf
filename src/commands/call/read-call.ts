import { Command, CommanderError, Help, Option } from 'commander';
import { LoadctlError } from '../../core/errors.js';
import { isSecretValue, type Meaning, type Misread, meantByOption, meantByWord, shown } from './meant.js';
import { optionGroups } from './options.js';
import type { Call, CommandModule } from './types.js';

/** The words after a command, read: or the help that they ask for. */
export type ReadCall = Pick<Call, 'args' | 'options'> | { readonly help: string };

/** A command as it was typed. */
export interface TypedCall {
  readonly name: string;
  readonly words: readonly string[];
  /** The environments that there are here; only asked for where the words cannot be read. */
  readonly environments: () => Promise<readonly string[]>;
  /** Where the documentation is: the last line of help. */
  readonly docs: string;
}

/** Reads the words after a command. Throws `usage` for what the command does not know, with what was probably meant. */
export async function readCall(module: CommandModule, { name, words, environments, docs }: TypedCall): Promise<ReadCall> {
  let help = '';
  const command = module
    .describe(
      new Command(`loadctl ${name}`)
        .exitOverride()
        .configureHelp({ helpWidth: 100, groupItems: inOrder })
        .configureOutput({
          writeOut: (text) => {
            help += text;
          },
          writeErr: () => {},
        })
        .addHelpOption(new Option('-h, --help', 'this help').helpGroup(optionGroups.common))
        .action(() => {}),
    )
    .addHelpText('after', `\nDocumentation: ${docs}`);
  try {
    command.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { help };
    const call = { name, words, options: optionsOf(command), environments: await environments() };
    const word = module.stray?.(command.args) ?? command.args[command.registeredArguments.length] ?? '';
    throw error.code === 'commander.excessArguments' ? unexpected(call, word) : usageError(call, error);
  }
  const stray = module.stray?.(command.args);
  if (stray !== undefined) throw unexpected({ name, words, options: optionsOf(command), environments: await environments() }, stray);
  return { args: command.args, options: command.opts() };
}

/** The groups of options in the order of {@link optionGroups}, whichever were added first. */
const inOrder: Help['groupItems'] = (all, visible, groupOf) => {
  const groups = new Help().groupItems(all, visible, groupOf);
  const order: string[] = Object.values(optionGroups);
  return new Map([...groups].sort(([one], [other]) => order.indexOf(one) - order.indexOf(other)));
};

function optionsOf({ options }: Command): string[] {
  return [...options.flatMap(({ long, short }) => [long, short].filter((one) => typeof one === 'string')), '--help'];
}

function unexpected(call: Misread, word: string): LoadctlError {
  return new LoadctlError('usage', `loadctl ${call.name}: unexpected argument \`${isSecretValue(call, word) ? '…' : shown([word])}\``, {
    hint: hintFor(call, meantByWord(call, word)),
  });
}

function usageError(call: Misread, { code, message }: CommanderError): LoadctlError {
  const [first = ''] = message.replace(/^error: /, '').split('\n');
  const option = code === 'commander.unknownOption' ? /'(--?[\w-]+)/.exec(first)?.[1] : undefined;
  // What follows the `=` of an unknown option may be a secret.
  return new LoadctlError('usage', `loadctl ${call.name}: ${first.replace(/'(--?[\w-]+)=.*'/s, "'$1=…'")}`, {
    hint: hintFor(call, option === undefined ? undefined : meantByOption(call, option)),
  });
}

function hintFor({ name }: Misread, meant: Meaning | undefined): string {
  return meant === undefined ? `loadctl ${name} --help says what it takes.` : `Did you mean ${meant.part}? Type: ${meant.command}`;
}
