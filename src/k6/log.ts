/** A line of k6's log, written with `--log-format json`. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  /** k6's own hint (`script exception`), where it gives one. */
  readonly hint?: string;
}

/** Reads one line of k6's JSON log; a line that is none (a Go panic, output of a library) is an `error` as it stands. */
export function parseLogLine(line: string): LogLine {
  try {
    const entry: unknown = JSON.parse(line);
    if (isRecord(entry) && typeof entry.msg === 'string') {
      const hint = typeof entry.hint === 'string' ? { hint: entry.hint } : {};
      const error = typeof entry.error === 'string' ? `: ${entry.error}` : '';
      return { level: String(entry.level), message: entry.msg.trimEnd() + error, ...hint };
    }
  } catch {
    // not JSON: shown as it is
  }
  return { level: 'error', message: line };
}

/** The errors in a k6 log, in order, as people read them. */
export function logErrors(log: string): LogLine[] {
  return log
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseLogLine)
    .filter((line) => line.level === 'error' || line.level === 'fatal' || line.level === 'panic');
}

/** The distinct warnings and errors of some logs with how often each was said, most often first. */
export function countComplaints(logs: readonly string[]): { level: string; message: string; times: number }[] {
  const counted = new Map<string, { level: string; message: string; times: number }>();
  for (const line of logs.flatMap((log) => log.split('\n')).filter((text) => text.trim() !== '')) {
    const { level, message } = parseLogLine(line);
    if (level !== 'warning' && level !== 'error') continue;
    const entry = counted.get(message) ?? { level, message, times: 0 };
    counted.set(message, { ...entry, times: entry.times + 1 });
  }
  return [...counted.values()].sort((a, b) => b.times - a.times);
}

/** How the system words errors of its own, and Go an end for want of memory; k6 gives no other sign of them. */
const shortages = [
  { of: 'ports', said: /can(?:no|')t assign requested address/ },
  { of: 'open files', said: /too many open files/ },
  { of: 'memory', said: /^fatal error: (?:runtime: )?(?:out of memory|cannot allocate memory)|cannot allocate memory/ },
] as const;

/** How often a runner was short of something of its own machine, by its log. */
export function countShortages(log: string): { readonly of: (typeof shortages)[number]['of']; readonly times: number }[] {
  const messages = log
    .split('\n')
    .filter((line) => shortages.some(({ said }) => said.test(line)) && !line.includes('"source":"console"'))
    .map(parseLogLine)
    .filter(({ level }) => level !== 'info' && level !== 'debug');
  return shortages.flatMap(({ of, said }) => {
    const times = messages.filter(({ message }) => said.test(message)).length;
    return times === 0 ? [] : [{ of, times }];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
