import type { Command } from 'commander';
import { LoadctlError } from '../../core/errors.js';
import type { ProfileSource } from '../../profile/find.js';
import type { Call } from './types.js';

/** The options that every command takes. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON to stdout, progress to stderr')
    .option('--quiet', 'only results, warnings and errors')
    .option('--no-color', 'no colours (NO_COLOR does the same)');
}

/** The options of every command that reads a profile. */
export function withProfileOptions(command: Command): Command {
  const collect = (value: string, previous: string[] = []) => [...previous, value];
  return command
    .option('--env <NAME>', 'the environment: profiles/NAME.yaml')
    .option('--profile <FILE>', 'the profile, wherever it is')
    .option('--set <PATH=VALUE>', 'change a value of the profile for this call (repeatable)', collect)
    .option('-e <KEY=VALUE>', 'a variable for the script, as in k6 (repeatable)', collect);
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
