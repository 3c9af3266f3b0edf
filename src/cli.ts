import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallStyle, Outcome } from './commands/call/types.js';
import { commands, type TableEntry, topLevelHelp, typedCommands } from './commands/table.js';
import { type ExitReason, errorCode, errorData, errorMessage, exitCodesOf, exitStatus, LoadctlError } from './core/errors.js';
import type { World } from './core/os.js';
import { redactData } from './core/redact-data.js';
import { openRedactor, type Redactor } from './core/redactor.js';
import { harmlessJson, ownControl } from './core/sanitise.js';
import { secretsInUrl } from './core/secrets.js';
import { errorText } from './reporters/error-text.js';
import { documentVersion, withStatus } from './reporters/json.js';
import { screenWidth } from './reporters/wrap.js';
import { type OwnProcess, openWorld } from './world.js';

/** loadctl, as it was typed: does it, says what came of it, and ends the process with the status that it means. */
export async function main(): Promise<void> {
  const shell = openWorld();
  const style = styleOf(shell);
  const typed = shell.argv.filter((word) => word.includes('://')).flatMap(secretsInUrl);
  const speech: Speech = { shell, style, redact: openRedactor(...typed) };
  const leave = (status: number) => shell.leave(status, (code) => sayLost(speech, status, code));
  shell.onCrash((error) => void leave(sayErrors(speech, [error])));
  await leave(await call(speech));
}

/**
 * How this process speaks. `redact` knows the secrets of URLs that were typed, and the profile's once it is read; what is
 * printed was made without them.
 */
interface Speech {
  readonly shell: OwnProcess;
  readonly style: CallStyle;
  readonly redact: Redactor;
}

async function call(speech: Speech): Promise<number> {
  try {
    const { name, args } = splitArguments(speech.shell.argv);
    if (name === undefined) return await aboutLoadctl(speech, args);
    if (name === 'complete') throw onlyForShells();
    return name === 'help' ? await help(speech, args) : await command(speech, name, args);
  } catch (error) {
    return sayErrors(speech, [error]);
  }
}

const ownOptions = ['--help', '-h', '--version', '-v', '-V', '--json', '--quiet', '--no-color'];

/** Without a command there is only what `loadctl` itself can be asked. */
async function aboutLoadctl({ shell }: Speech, args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => !ownOptions.includes(arg));
  if (unknown !== undefined) {
    const [{ nearest }, { shown }] = await Promise.all([import('./profile/words/near.js'), import('./commands/call/meant.js')]);
    const near = nearest(unknown, ownOptions);
    const hint = near === undefined ? 'loadctl --help lists them.' : `Did you mean loadctl ${near}?`;
    throw new LoadctlError('usage', `No command: ${shown(args)}`, { hint });
  }
  shell.stdout.write(['--version', '-v', '-V'].some((one) => args.includes(one)) ? `${ownVersion()}\n` : topLevelHelp(docsAddress()));
  return exitStatus.pass;
}

function onlyForShells(): LoadctlError {
  return new LoadctlError('usage', 'loadctl complete is what shells ask by', { hint: 'For their script, type: loadctl completion bash' });
}

async function help(speech: Speech, [topic]: readonly string[]): Promise<number> {
  return topic === undefined ? aboutLoadctl(speech, []) : command(speech, topic, ['--help']);
}

async function command(speech: Speech, name: string, args: readonly string[]): Promise<number> {
  const { shell, style } = speech;
  const module = await moduleOf(name, args);
  const { readCall } = await import('./commands/call/read-call.js');
  const read = await readCall(module, { name, words: args, environments: () => environmentsHere(shell), docs: docsAddress() });
  if ('help' in read) {
    shell.stdout.write(read.help);
    return exitStatus.pass;
  }
  const sweeping = Promise.all([shell.sweep(), import('./runs/lock.js').then(({ sweepRunLocks }) => sweepRunLocks(shell.cwd, shell))]);
  const outcome = await module.run({ ...read, shell, style, version: ownVersion(), redact: speech.redact }).finally(() => sweeping);
  return sayOutcome(speech, outcome);
}

/** Loaded where it is needed: reading profiles takes a library. */
async function environmentsHere({ cwd }: World): Promise<readonly string[]> {
  const [{ diskFiles }, { environmentsIn }] = await Promise.all([import('./profile/files.js'), import('./profile/find.js')]);
  return environmentsIn(join(cwd, 'profiles'), diskFiles);
}

async function moduleOf(name: string, args: readonly string[]) {
  const entry = commands.find((one: TableEntry) => one.name === name);
  if (entry !== undefined) return (await entry.load()).command;
  const { meantByCommand, shown } = await import('./commands/call/meant.js');
  const meant = meantByCommand(
    name,
    typedCommands.map((one) => one.name),
  );
  const whole = `loadctl ${meant} ${shown(args)}`.trimEnd();
  throw new LoadctlError('usage', `Unknown command: ${shown([name])}`, {
    hint: meant === undefined ? 'loadctl --help lists them all.' : `Did you mean ${whole}?`,
  });
}

/** Options whose next word is their value: needed to find the command behind options that stand before it. */
const withValue = new Set([
  ...['--env', '--profile', '--set', '-e', '--out', '--plan', '--url', '--report-dir', '--port', '--variables', '--view'],
  ...['--script', '--db', '--tables', '--redis'],
]);

function splitArguments(argv: readonly string[]): { name: string | undefined; args: readonly string[] } {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (withValue.has(word)) at += 1;
    else if (!word.startsWith('-')) return { name: word, args: [...argv.slice(0, at), ...argv.slice(at + 1)] };
  }
  return { name: undefined, args: argv };
}

function styleOf({ argv, env, stdout, stderr }: World): CallStyle {
  const isSet = (name: string) => !['', undefined, 'false', '0'].includes(env[name]);
  const plain = argv.includes('--no-color') || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb' || isSet('CI');
  const hasSize = stderr.isTerminal && stderr.stream.columns > 0 && stderr.stream.rows > 0; // without one, what is drawn is cleared for ever
  return {
    ci: isSet('CI') || isSet('GITHUB_ACTIONS'),
    json: argv.includes('--json'),
    quiet: argv.includes('--quiet'),
    colour: { stdout: stdout.isTerminal && !plain, stderr: stderr.isTerminal && !plain },
    animated: hasSize && env.TERM !== 'dumb' && !isSet('CI'),
    canDraw: hasSize && env.TERM !== 'dumb',
    unicode: showsUnicode(env),
  };
}

/** Linux' own console has too few letters; else it is the locale, where one is set. */
function showsUnicode({ TERM, LC_ALL = '', LC_CTYPE = '', LANG = '' }: World['env']): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((one) => one !== '');
  return TERM !== 'linux' && (locale === undefined || /utf-?8/i.test(locale));
}

function sayOutcome(speech: Speech, { reasons, data, text, bugs = [] }: Outcome): number {
  const { shell, style } = speech;
  for (const error of bugs) shell.stderr.write(inWords(speech, error));
  const ending = exitCodesOf(reasons);
  const versioned = 'error' in data ? data : { version: documentVersion, ...data };
  if (style.json) sayJson(speech, { ...versioned, ...ending });
  else shell.stdout.write(text);
  return ending.exitCode;
}

function sayErrors(speech: Speech, thrown: readonly unknown[]): number {
  const errors = thrown.map(withoutFiles);
  const ending = exitCodesOf(errors.map(reasonOf));
  for (const error of errors) speech.shell.stderr.write(inWords(speech, error));
  if (speech.style.json) sayJson(speech, { error: withStatus(errorData(errors[0])), ...ending });
  return ending.exitCode;
}

/** Where no more files can be opened, anything may fail at any place: its own modules, too. */
function withoutFiles(error: unknown): unknown {
  if (!['EMFILE', 'ENFILE'].includes(errorCode(error) ?? '') && !isChildWithoutStreams(error)) return error;
  return new LoadctlError('unavailable', `loadctl may open no more files: ${errorMessage(error)}`, {
    hint: 'Raise the limit of open files (ulimit -n 1024), and type it again.',
    cause: error,
  });
}

/** Node hands out a child without `stdio` where EMFILE or ENFILE kept it from starting one (`ChildProcess.spawn`), and execa reads it. */
function isChildWithoutStreams(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'subprocess.stdio is not iterable';
}

function sayJson({ shell, redact }: Speech, data: unknown): void {
  shell.stdout.write(`${harmlessJson(JSON.stringify(redactData(data, redact), null, 2))}\n`);
}

/** Says that stdout did not take what was printed; the status that this leaves of one. */
function sayLost(speech: Speech, status: number, code: string): number {
  const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : 'it takes no more';
  const hint = 'Redirect stdout, or free some space there, and repeat the command; for a run, loadctl verify shows the result again.';
  const error = new LoadctlError('unavailable', `What was printed is lost: stdout cannot be written, ${why} (${code})`, { hint });
  speech.shell.stderr.write(inWords(speech, error));
  return status === exitStatus.pass ? exitStatus.unavailable : status;
}

function reasonOf(error: unknown): ExitReason {
  return error instanceof LoadctlError ? error.reason : 'bug';
}

/** An error as people read it: what is wrong, where, and one thing to do about it. A bug shows its stack when asked. */
function inWords({ shell, style, redact }: Speech, error: unknown): string {
  const red = (text: string) => (style.colour.stderr ? ownControl('\x1b[31m') + text + ownControl('\x1b[39m') : text);
  const stack = error instanceof Error && shell.env.LOADCTL_DEBUG === '1' ? (error.stack?.split('\n').slice(1) ?? []) : [];
  const trace = stack.map((line) => redact.text(line));
  if (error instanceof LoadctlError)
    return [errorText(redactData(errorData(error), redact), red, screenWidth(shell.stderr)), ...trace.map((line) => `${line}\n`)].join('');
  const report = [
    'This is a bug in loadctl, not in your test. Please report it with the command that you typed' +
      (stack.length > 0 ? '.' : ', and what LOADCTL_DEBUG=1 adds.'),
    ...bugTracker(),
  ];
  return `${[`${red('error:')} ${redact.text(errorMessage(error))}`, ...trace, ...report].join('\n')}\n`;
}

function bugTracker(): string[] {
  const { bugs } = ownPackage();
  const url = typeof bugs === 'string' ? bugs : bugs?.url;
  return url === undefined ? [] : [`hint: ${url}`];
}

/** The documentation of this very version, which is installed with it. */
function docsAddress(): string {
  return fileURLToPath(new URL('../docs/README.md', import.meta.url));
}

function ownVersion(): string {
  return ownPackage().version;
}

function ownPackage(): { version: string; bugs?: string | { url?: string } } {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
}
