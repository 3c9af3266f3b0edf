import { type Argument, Command, type Option } from 'commander';
import type { CommandModule } from '../call/types.js';

/** What may be typed after a command. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly args: readonly { readonly name: string; readonly choices: readonly string[]; readonly variadic: boolean }[];
  readonly options: readonly OptionWords[];
}

/** One option: `--env`, `-e`. */
export interface OptionWords {
  readonly long?: string;
  readonly short?: string;
  readonly summary: string;
  /** What it takes, as help names it: `NAME`, `RUN...`. */
  readonly value?: string;
}

/** A command that is not loaded yet. */
interface Loadable {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: CommandModule }>;
}

/** The words of commands. Loads them all: the build writes what comes of it beside loadctl, for shells to be answered fast. */
export async function commandWords(commands: readonly Loadable[]): Promise<CommandWords[]> {
  return Promise.all(
    commands.map(async ({ name, summary, load }) => {
      const { command: module } = await load();
      const command = module.describe(new Command(name).helpOption('-h, --help', 'this help'));
      return { name, summary, args: command.registeredArguments.map(argumentWords), options: visibleOptions(command).map(optionWords) };
    }),
  );
}

function visibleOptions(command: Command): Option[] {
  return command.createHelp().visibleOptions(command);
}

function argumentWords(argument: Argument): CommandWords['args'][number] {
  return { name: argument.name(), choices: argument.argChoices ?? [], variadic: argument.variadic };
}

function optionWords({ long, short, description, flags }: Option): OptionWords {
  const value = /[<[](.+)[>\]]/.exec(flags)?.[1];
  return {
    ...(typeof long === 'string' ? { long } : {}),
    ...(typeof short === 'string' ? { short } : {}),
    summary: description,
    ...(value === undefined ? {} : { value }),
  };
}
