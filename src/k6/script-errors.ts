import { LoadctlError } from '../core/errors.js';
import type { Output } from '../core/os.js';
import { k6Exit } from './exit-codes.js';
import { logErrors } from './log.js';

/** What an error says about a script besides what k6 said. */
export interface ScriptContext {
  /** The script's path. */
  readonly script: string;
  /** Variables that it reads and nobody gave it: in the shell or nowhere at all. */
  readonly missing: { readonly inShell: readonly string[]; readonly nowhere: readonly string[] };
}

/** k6 has one exit code for a script that throws and one that it cannot read; its hint tells them apart. */
const exceptionHint = 'script exception';

/** What k6 puts before what is wrong with a script: the file, which may be a module of ours on its stdin. */
const preamble = /^could not initialize '[^']*': (?:could not load JS (?:test|from test archive bundle) '[^']*': )?/;
/** Lines of a stack that are in modules of ours. */
const ofOurs = /file:\/\/\/-|loadctl-(?:before|wrapper|probe)\.js|\/effective-options\.[jt]s/;

/** The error of a k6 command that refused a script, in k6's own words. */
export function scriptError(output: Output, context: ScriptContext): LoadctlError {
  if (output.error !== undefined) {
    return new LoadctlError('unavailable', `k6 could not be started: ${output.error}`, {
      hint: 'loadctl doctor says which k6 is used and why.',
    });
  }
  const errors = logErrors(output.stderr);
  const first = errors[0];
  if (output.exitCode === k6Exit.testAborted || first?.hint === exceptionHint) return initError(output, context);
  const [message = `k6 ended with exit code ${output.exitCode ?? output.signal ?? '?'}`, ...lines] = linesOf(output.stderr);
  return new LoadctlError('invalid-profile', `k6 cannot use the script: ${message}`, { lines, hint: hintFor(message, context.script) });
}

/** The error of a script that k6 could read, and whose init code then ended k6: it threw, or called `test.abort()`. */
export function initError({ exitCode, stderr }: Pick<Output, 'exitCode' | 'stderr'>, { script, missing }: ScriptContext): LoadctlError {
  const [message = '', ...lines] = linesOf(stderr);
  const [reason, what] =
    exitCode === k6Exit.testAborted ? (['test-aborted', 'called test.abort()'] as const) : (['script-threw', 'threw'] as const);
  return new LoadctlError(reason, `The script ${what} in its init code: ${message}`, {
    lines,
    hint: `Nothing was run. ${unknownModule(message) ?? wantedVariables(missing) ?? `Fix ${script}; k6 run shows the same.`}`,
  });
}

function linesOf(log: string): string[] {
  const lines = logErrors(log).flatMap(({ message }) => message.split('\n'));
  return lines.map((line) => line.replace(preamble, '')).filter((line) => !ofOurs.test(line) && line.trim() !== '');
}

function wantedVariables({ inShell, nowhere }: ScriptContext['missing']): string | undefined {
  if (inShell.length > 0) {
    const flags = inShell.map((name) => `-e ${name}`).join(' ');
    return `The script reads ${inShell.join(', ')}, which your shell has and k6 is not given: add ${flags}, or name it in workload.env.`;
  }
  if (nowhere.length === 0) return undefined;
  return `The script reads ${nowhere.join(', ')}, which is not set: add ${nowhere.map((name) => `-e ${name}=…`).join(' ')}.`;
}

function hintFor(message: string, script: string): string {
  return unknownModule(message) ?? `Fix ${script}.`;
}

function unknownModule(message: string): string | undefined {
  const npm = /The moduleSpecifier "([^"]+)" couldn't be recognised/.exec(message)?.[1];
  if (npm !== undefined) {
    return `k6 has no npm packages: bundle ${npm} into the script (esbuild --bundle), or import it by URL, as https://jslib.k6.io has it.`;
  }
  const url = /couldn't be retrieved from the resolved url "([^"]+)"/.exec(message)?.[1];
  if (url !== undefined) return `k6 fetches ${url} from this machine: make it reachable, or save it beside the script and import the file.`;
  const extensions = [...message.matchAll(/"(k6\/x\/[^"]+)"/g)].map(([, name]) => name);
  if (extensions.length === 0) return undefined;
  return `Build a k6 with ${extensions.join(', ')} (xk6 build --with …), and name it: LOADCTL_K6=./k6, or runners.k6 in the profile.`;
}
