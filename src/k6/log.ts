import { isRecord } from '../core/own.js';
/** A line of k6's log, written with `--log-format json`. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  /** k6's own hint (`script exception`), where it gives one. */
  readonly hint?: string;
  /** What k6 was about to fetch, in its lines about that. */
  readonly url?: string;
  /** The script said it (`console.error`), not k6. */
  readonly byScript: boolean;
}

/** The trace of Go's scheduler, which goRuntime asks for and nobody reads. */
const schedulerTrace = /^SCHED \d+ms: /;

/** Reads one line of k6's JSON log; a line that is none (a Go panic, output of a library) is an `error` as it stands. */
export function parseLogLine(line: string): LogLine {
  if (schedulerTrace.test(line)) return { level: 'debug', message: line, byScript: false };
  try {
    const entry: unknown = JSON.parse(line);
    if (isRecord(entry) && typeof entry.msg === 'string') {
      const hint = typeof entry.hint === 'string' ? { hint: entry.hint } : {};
      const error = typeof entry.error === 'string' ? `: ${entry.error}` : '';
      const url = typeof entry.url === 'string' ? { url: entry.url } : {};
      return { level: String(entry.level), message: entry.msg.trimEnd() + error, ...hint, ...url, byScript: entry.source === 'console' };
    }
  } catch {
    // not JSON: shown as it is
  }
  return { level: 'error', message: line, byScript: false };
}

/** The errors that k6 itself tells in its log, in order, as people read them. */
export function logErrors(log: string): LogLine[] {
  return log
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseLogLine)
    .filter(({ level, byScript }) => !byScript && ['error', 'fatal', 'panic'].includes(level));
}

/** How k6 words a `test.abort()`; before what was given to it. */
export const abortWords = 'test aborted: ';

/** How k6 words that a signal ended its test. */
export const signalWords = 'test run was aborted because k6 received';

/** Why k6 aborted the test, by the errors in its log: what `test.abort()` was given, or k6's own reason (a browser that cannot start). */
export function abortIn(errors: readonly LogLine[]): { readonly byScript: boolean; readonly said: string } | undefined {
  const said = errors.at(-1)?.message;
  if (said === undefined) return undefined;
  const byScript = said.startsWith(abortWords);
  return { byScript, said: byScript ? said.slice(abortWords.length) : said };
}

/** What k6 itself warns of in its log, in one line each. */
export function logWarnings(log: string): string[] {
  const lines = log.split('\n').map(parseLogLine);
  return lines.flatMap(({ level, message, byScript }) => (level === 'warning' && !byScript ? [inOneLine(message)] : []));
}

/** How the system words errors of its own, and Go an end for want of memory; k6 gives no other sign of them. */
const shortages = [
  { of: 'ports', said: /can(?:no|')t assign requested address/ },
  { of: 'open files', said: /too many open files/ },
  { of: 'memory', said: /^fatal error: (?:runtime: )?(?:out of memory|cannot allocate memory)|cannot allocate memory/ },
] as const;

/** Something of its own machine that a runner was short of. */
export type Shortage = (typeof shortages)[number]['of'];

/** What of its own machine a runner was short of, by what it says. */
export function shortageIn(message: string): Shortage | undefined {
  return shortages.find(({ said }) => said.test(message))?.of;
}

/** A message of several lines as one: what it says, and the first place in a script that its stack names. */
export function inOneLine(message: string): string {
  const [first = '', ...more] = message.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  const where = more.find((line) => !line.endsWith('(native)'));
  return where === undefined ? first : `${first} (${where})`;
}
