import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import type { Execute, Output } from '../core/os.js';
import { type Milliseconds, parseDuration } from '../core/quantities.js';
import { choiceCounters } from '../plan/choices.js';
import { inspectCommand, type K6 } from './arguments.js';
import { k6Exit } from './exit-codes.js';
import { logErrors, parseLogLine } from './log.js';
import { probeMark, probeSource } from './wrapper.js';

/** What a script is, found out without running it. */
export interface InspectedScript {
  readonly path: string;
  /** Its options as it exports them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Names of the functions it exports: `default`, `setup`, `handleSummary`… */
  readonly functions: readonly string[];
  /** Functions other than the default one that its scenarios execute. */
  readonly execNames: readonly string[];
  readonly usesDefault: boolean;
  /** Those of {@link choiceCounters} that it has. */
  readonly counters: readonly string[];
  readonly setupTimeoutMs: Milliseconds;
  readonly teardownTimeoutMs: Milliseconds;
}

/** k6's requirements of a test: how long at most, how many VUs. */
export interface Requirements {
  readonly totalMs: Milliseconds;
  readonly maxVus: number;
}

/**
 * Reads a script's options and exports through `k6 inspect`. `folder` takes a small module of ours.
 * Throws `invalid-profile` for a script that k6 cannot use, `script-threw` and `test-aborted` for what its init code does.
 */
export async function inspectScript(k6: K6, execute: Execute, script: string, folder: string): Promise<InspectedScript> {
  const probe = join(folder, 'probe.js');
  await writeFile(probe, probeSource(script, choiceCounters), { mode: 0o600 });
  const output = await execute(inspectCommand(k6, probe));
  if (output.exitCode !== 0) {
    const direct = await execute(inspectCommand(k6, script));
    throw scriptError(direct.exitCode === 0 ? output : direct, script);
  }
  const known = parseJson(output.stdout);
  const told = toldByProbe(output.stderr);
  const execs = Object.values(record(known.scenarios)).map((scenario) => String(record(scenario).exec ?? 'default'));
  return {
    path: script,
    options: record(told.options),
    functions: Array.isArray(told.functions) ? told.functions.map(String) : [],
    execNames: [...new Set(execs)].filter((name) => name !== 'default'),
    usesDefault: execs.includes('default'),
    counters: Array.isArray(told.counters) ? told.counters.map(String) : [],
    setupTimeoutMs: milliseconds(known.setupTimeout) ?? 60_000,
    teardownTimeoutMs: milliseconds(known.teardownTimeout) ?? 60_000,
  };
}

/** How long a test lasts at most and how many VUs it needs, by k6's own reckoning. */
export async function inspectRequirements(k6: K6, execute: Execute, archive: string): Promise<Requirements> {
  const output = await execute(inspectCommand(k6, archive));
  if (output.exitCode !== 0) throw scriptError(output, archive);
  const known = parseJson(output.stdout);
  return { totalMs: milliseconds(known.totalDuration) ?? 0, maxVus: Number(known.maxVUs ?? 0) };
}

/** The error of a k6 command that refused a script, in k6's own words. */
export function scriptError(output: Output, script: string): LoadctlError {
  if (output.error !== undefined) {
    return new LoadctlError('unavailable', `k6 could not be started: ${output.error}`, {
      hint: 'loadctl doctor says which k6 is used and why.',
    });
  }
  const errors = logErrors(output.stderr);
  const first = errors[0];
  if (output.exitCode === k6Exit.testAborted || first?.hint === exceptionHint) return initError(output, script);
  const message = first?.message.split('\n')[0] ?? `k6 ended with exit code ${output.exitCode ?? output.signal ?? '?'}`;
  return new LoadctlError('invalid-profile', `k6 cannot use the script: ${message}`, {
    lines: errors.flatMap((line) => line.message.split('\n')).slice(1),
    hint: `Mend ${script}.`,
  });
}

/** k6 has one exit code for a script that throws and one that it cannot read; its hint tells them apart. */
const exceptionHint = 'script exception';

/** The error of a script that k6 could read, and whose init code then ended k6: it threw, or called `test.abort()`. */
export function initError({ exitCode, stderr }: Pick<Output, 'exitCode' | 'stderr'>, script: string): LoadctlError {
  const [message = '', ...lines] = logErrors(stderr).flatMap((line) => line.message.split('\n'));
  const [reason, what] =
    exitCode === k6Exit.testAborted ? (['test-aborted', 'called test.abort()'] as const) : (['script-threw', 'threw'] as const);
  return new LoadctlError(reason, `The script ${what} in its init code: ${message}`, {
    lines,
    hint: `Nothing was run. Mend ${script}; k6 run shows the same.`,
  });
}

function toldByProbe(log: string): Record<string, unknown> {
  const line = log
    .split('\n')
    .map(parseLogLine)
    .find(({ message }) => message.startsWith(probeMark));
  return line ? parseJson(line.message.slice(probeMark.length)) : {};
}

function milliseconds(value: unknown): Milliseconds | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseDuration(value) : undefined;
}

function parseJson(text: string): Record<string, unknown> {
  return record(JSON.parse(text));
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
