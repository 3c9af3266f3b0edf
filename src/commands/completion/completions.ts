import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, type Complete, RootCommand } from '@bomb.sh/tab';
import { isEnvironmentName } from '../../core/environment-name.js';
import { listRuns } from '../../runs/find.js';
import type { CommandWords, OptionWords } from './command-words.js';
import { printedBy } from './printed-by.js';

/** What completes words here. */
export interface Completing {
  readonly commands: readonly CommandWords[];
  readonly cwd: string;
}

/** A word, and what it means: zsh puts words of one meaning into one line. */
interface Offered {
  readonly value: string;
  readonly meaning: string;
}

/** What profiles and runs are called here: only names that are harmless as words of any shell. */
interface Names {
  readonly environments: readonly Offered[];
  readonly runs: readonly Offered[];
}

const ending = /\.ya?ml$/;

/** The shell completes names of files where loadctl offers nothing. */
const byFiles = ':0\n';

/**
 * What may stand for the last of the words after `loadctl`: a line each, a tab before what it means; the last line says
 * how the shell goes on. Reads names of files only; a folder that may not be read has none to offer.
 */
export async function completions(words: readonly string[], { commands, cwd }: Completing): Promise<string> {
  if (takesFile(words, commands)) return byFiles;
  const names = { environments: await environmentsByFile(cwd), runs: await runsHere(cwd) };
  const root = new RootCommand();
  root.option('help', 'what loadctl does', 'h').option('version', 'the version of loadctl', 'v');
  for (const one of commands) addCommand(root.command(one.name, one.summary), one, names);
  root
    .command('help', 'what a command does and takes')
    .argument('command', offer(commands.map(({ name, summary }) => ({ value: name, meaning: summary }))));
  return printedBy(() => root.parse([...words]));
}

function addCommand(command: Command, { args, options }: CommandWords, names: Names): void {
  for (const { name, choices, variadic } of args)
    command.argument(name, offer(name === 'RUN' ? names.runs : choices.map((value) => ({ value, meaning: value }))), variadic);
  for (const option of options) {
    const long = option.long?.slice(2);
    if (long === undefined) continue;
    const short = option.short?.slice(1);
    if (option.value === undefined) command.option(long, option.summary, short);
    else command.option(long, option.summary, offer(valuesOf(option, names)), short);
  }
}

function valuesOf({ long, value }: OptionWords, names: Names): readonly Offered[] {
  if (long === '--env') return names.environments;
  return value === 'RUN...' ? names.runs : [];
}

function offer(values: readonly Offered[]): (complete: Complete) => void {
  return (complete) => {
    for (const { value, meaning } of values) complete(value, meaning);
  };
}

function takesFile(words: readonly string[], commands: readonly CommandWords[]): boolean {
  const [before = '', last = ''] = words.slice(-2);
  const flag = last.startsWith('--') && last.includes('=') ? last.slice(0, last.indexOf('=')) : before;
  const command = commands.find(({ name }) => words.includes(name));
  const value = command?.options.find(({ long }) => long === flag)?.value;
  return value === 'FILE' || value === 'DIR';
}

async function environmentsByFile(cwd: string): Promise<Offered[]> {
  const files = (await readdir(join(cwd, 'profiles')).catch(() => [])).filter((file) => ending.test(file));
  const named = files.map((file) => ({ value: file.replace(ending, ''), meaning: `profiles/${file}` }));
  return named.filter(({ value }) => isHarmless(value)).sort((a, b) => (a.value < b.value ? -1 : 1));
}

async function runsHere(cwd: string): Promise<Offered[]> {
  const runs = (await listRuns(cwd).catch(() => [])).filter(isHarmless);
  return runs.map((run) => ({ value: run, meaning: `.loadctl/runs/${run}` }));
}

function isHarmless(name: string): boolean {
  return isEnvironmentName(name) && !name.startsWith('-');
}
