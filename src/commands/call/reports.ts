import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { errorData, errorMessage, LoadctlError } from '../../core/errors.js';
import { redactData } from '../../core/redact-data.js';
import { annotations } from '../../reports/annotations.js';
import { reportFiles } from '../../reports/index.js';
import type { Result } from '../../reports/result/result.js';
import { makeFolder } from '../../runs/make-folder.js';
import { textOption } from './options.js';
import type { Call } from './types.js';

/** The option of every command that comes to a verdict. */
export function withReportOption(command: Command): Command {
  return command.option('--report-dir <DIR>', `write ${Object.keys(reportFiles).join(', ')} there`);
}

/** The files about a result that a call is to leave, and what a CI system is told of it. */
export interface Reports {
  /** Whether the call asks for any. */
  readonly asked: boolean;
  /** Writes them; hands back the errors of those that could not be written. */
  write(result: Result): Promise<LoadctlError[]>;
}

/** Makes the folder that a call names, and takes files of an earlier call out of it: none may be taken for this one's. Throws `unavailable`. */
export async function openReports(call: Call): Promise<Reports> {
  const named = textOption(call.options, 'reportDir');
  if (named === undefined) return { asked: false, write: async () => [] };
  const folder = resolve(call.shell.cwd, named);
  await makeFolder(folder).catch((error: unknown) => Promise.reject(notWritten(folder, error)));
  for (const name of Object.keys(reportFiles))
    await rm(join(folder, name), { force: true }).catch((error: unknown) => Promise.reject(notWritten(join(folder, name), error)));
  return {
    asked: true,
    write: async (result) => {
      const files = Object.entries(reportFiles).map(([name, make]) => writeReport(join(folder, name), make(result)));
      return (await Promise.all(files)).flat();
    },
  };
}

/** Does `work`; where an error ends it, that is the report. */
export async function reportingErrors<T>(call: Call, reports: Reports, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const data = redactData(errorData(error), call.redact);
    const environment = textOption(call.options, 'env') ?? 'loadctl';
    await reports.write({ environment, errors: [data], reasons: [data.code] });
    throw error;
  }
}

/** Fills GitHub's job summary, and says at the profile's lines what failed; nothing elsewhere. Hands back what could not be written. */
export async function tellGithub({ shell, style }: Pick<Call, 'shell' | 'style'>, result: Result): Promise<LoadctlError[]> {
  const { env, cwd } = shell;
  if (env.GITHUB_ACTIONS === 'true') {
    const root = env.GITHUB_WORKSPACE ?? cwd;
    // With --json stdout is one document; the runner reads both.
    const screen = style.json ? shell.stderr : shell.stdout;
    screen.pass(annotations(result, (file) => relative(root, resolve(cwd, file))));
  }
  const file = env.GITHUB_STEP_SUMMARY ?? '';
  if (file === '') return [];
  const summary = reportFiles['summary.md'](result);
  return appendFile(file, `${summary}\n`).then(
    () => [],
    (error: unknown) => [notWritten(file, error)],
  );
}

async function writeReport(path: string, text: string | undefined): Promise<LoadctlError[]> {
  if (text === undefined) return [];
  return writeFile(path, text).then(
    () => [],
    (error: unknown) => [notWritten(path, error)],
  );
}

function notWritten(path: string, cause: unknown): LoadctlError {
  return new LoadctlError('unavailable', `The report ${path} cannot be written: ${errorMessage(cause)}`, {
    hint: 'Name a folder that can be written: --report-dir DIR',
    cause,
  });
}
