import { type Command, Option } from 'commander';
import { LoadctlError } from '../../core/errors.js';
import type { ProfileSource } from '../../profile/find.js';
import type { Call } from './types.js';

/** The groups that a command's help lists options in, in this order; `Options:` are its own. */
export const optionGroups = { profile: 'Which test:', own: 'Options:', common: 'Every command:' } as const;

/** The options that every command takes. */
export function withCommonOptions(command: Command): Command {
  const common = (flags: string, description: string) => new Option(flags, description).helpGroup(optionGroups.common);
  return command
    .addOption(common('--json', 'print JSON to stdout, progress to stderr'))
    .addOption(common('--quiet', 'only results, warnings and errors'))
    .addOption(common('--no-color', 'no colours (NO_COLOR does the same)'));
}

/** The options of every command that reads a profile, the most used first. */
export function withProfileOptions(command: Command): Command {
  const collect = (value: string, previous: string[] = []) => [...previous, value];
  const ofProfile = (flags: string, description: string) => new Option(flags, description).helpGroup(optionGroups.profile);
  return command
    .addOption(ofProfile('--env <NAME>', 'the environment: profiles/NAME.yaml'))
    .addOption(ofProfile('--set <PATH=VALUE>', 'change a value of the profile for this call (repeatable)').argParser(collect))
    .addOption(ofProfile('-e <KEY=VALUE>', 'a variable for the script, as in k6 (repeatable)').argParser(collect))
    .addOption(ofProfile('--profile <FILE>', 'the profile, wherever it is'));
}

/** How a run may be shown. */
const views = ['full', 'short', 'lines'] as const;

/** The option of commands that show a load. */
export function withViewOption(command: Command): Command {
  const what =
    'how the load is shown: full (the whole screen), short (a few lines), lines (a line now and then). Without it full on a terminal of 80x24 and more, short on a smaller one, lines elsewhere and in CI';
  return command.addOption(new Option('--view <VIEW>', what).choices(views));
}

/** How a call wants a load to be shown; undefined where it does not say. */
export function viewOption({ options }: Call): (typeof views)[number] | undefined {
  return views.find((view) => view === options.view);
}

/** Examples at the end of a command's help. */
export function examples(lines: readonly (readonly [call: string, meaning: string])[]): string {
  const width = Math.max(...lines.map(([call]) => call.length));
  return `\nExamples:\n${lines.map(([call, meaning]) => `  ${call.padEnd(width)}  ${meaning}`).join('\n')}`;
}

/** What the profile options of a call say. */
export interface ProfileChoice {
  readonly source: ProfileSource | undefined;
  readonly set: readonly string[];
  readonly scriptEnv: readonly string[];
}

/** Reads the profile options of a call. Throws `usage` where they contradict each other. */
export function profileChoice({ options }: Call): ProfileChoice {
  const environment = textOption(options, 'env');
  const file = textOption(options, 'profile');
  if (environment !== undefined && file !== undefined) {
    throw new LoadctlError('usage', '--env and --profile both name a profile', { hint: 'Give one of them.' });
  }
  const source = environment === undefined ? (file === undefined ? undefined : { file }) : { environment };
  return { source, set: listOption(options, 'set'), scriptEnv: listOption(options, 'e') };
}

/** An option with a text; undefined where it was not given. */
export function textOption(options: Call['options'], name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

function listOption(options: Call['options'], name: string): string[] {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : [];
}
