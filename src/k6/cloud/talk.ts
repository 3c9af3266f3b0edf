import type { CloudEnd } from '../../core/cloud.js';
import type { ProcessEnd } from '../../core/os.js';
import { k6Exit } from '../exit-codes.js';

/** What one line of `k6 cloud run` tells; nothing where it is only for people. */
export type CloudLine =
  /** It has read the test, and asks the service whether it takes its options. */
  | { readonly tells: 'asking' }
  /** From here on a run may begin there. */
  | { readonly tells: 'handing-over' }
  | { readonly tells: 'url'; readonly url: string }
  | { readonly tells: 'state'; readonly state: string }
  /** How the run ended. */
  | { readonly tells: 'status'; readonly status: string }
  /** The service did not say how the run is; k6 asks again. */
  | { readonly tells: 'no-progress'; readonly why: string }
  /** The service did not take an abort; k6 does not ask again. */
  | { readonly tells: 'not-aborted'; readonly why: string }
  | { readonly tells: 'error'; readonly message: string };

/** Reads a line of its stdout (k6 2.2: internal/cmd/cloud.go and ui.go). */
export function readCloudOutput(line: string): CloudLine | undefined {
  const [, url] = /^\s+output: (https?:\/\/\S+)\s*$/.exec(line) ?? [];
  if (url !== undefined) return { tells: 'url', url };
  const [, status] = /^\s+test status: (.+?)\s*$/.exec(line) ?? [];
  if (status !== undefined) return { tells: 'status', status };
  const [, step] = /^Init\s+\[\s*\d+% \] (.+?)\s*$/.exec(line) ?? [];
  if (step === 'Validating script options') return { tells: 'asking' };
  if (step === 'Uploading archive') return { tells: 'handing-over' };
  const [, said] = /^Run\s+\[\s*\d+% \] (.+?)\s*$/.exec(line) ?? [];
  if (said === undefined || said === 'Waiting...' || said === 'Initializing the cloud test') return undefined;
  return { tells: 'state', state: /^[\d.hms]+\/[\d.hms]+$/.test(said) ? 'Running' : said };
}

/** Reads a line of its stderr: JSON, as it was asked for. */
export function readCloudLog(line: string): CloudLine | undefined {
  const { level, msg, error } = parsed(line);
  if (typeof msg !== 'string') return line.trim() === '' ? undefined : { tells: 'error', message: line.trim() };
  if (msg === 'Test progress error' && typeof error === 'string') return { tells: 'no-progress', why: error };
  if (msg === 'Stop cloud test error' && typeof error === 'string') return { tells: 'not-aborted', why: error };
  if (level !== 'error' && level !== 'fatal') return undefined;
  return { tells: 'error', message: typeof error === 'string' ? `${msg}: ${error}` : msg };
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** How a run ended of which k6 told where it is, by k6's exit code and its last status. */
export function cloudEnd({ exitCode }: Pick<ProcessEnd, 'exitCode'>, status: string | undefined): CloudEnd {
  if (exitCode === k6Exit.thresholdsFailed) return 'thresholds-failed';
  if (exitCode === k6Exit.cloudProgressLost) return 'progress-lost';
  if (status === 'Aborted (by user)') return 'aborted-by-user';
  if (status === 'Aborted') return 'aborted';
  if (exitCode === k6Exit.cloudRunFailed) return 'failed';
  return exitCode === 0 && status === 'Finished' ? 'passed' : 'unknown';
}
