import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is to be seen of a test that was run, by one k6 or by a fleet. */
export interface Seen {
  readonly code: number | null;
  /** What metrics count, by metric and stat: `iterations count`, `won passes`. */
  readonly counts: Readonly<Record<string, number>>;
  /** `passes/fails`, by the path of the check. */
  readonly checks: Readonly<Record<string, string>>;
  /** By metric, how many thresholds were met, missed, and without data. */
  readonly thresholds: Readonly<Record<string, string>>;
  /** What stands in the working directory, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** What came to the server, by `METHOD /path`. */
  readonly requests: Readonly<Record<string, number>>;
  /** What handleSummary put on stdout. */
  readonly summary: string;
  /** What the script said with console, sorted. */
  readonly talk: readonly string[];
}

/** A metric's values under either of k6's spellings. */
type Values = Readonly<Record<string, unknown>>;

/** What hangs on time, on the machine, or on loadctl's own flags. */
const ofTheMoment = /^(vus|vus_max|data_sent|data_received|loadctl_\w+)\b|[{,]part:/;
/** Trends that measure how long something took: only how often is compared, by the counters beside them. */
const timings = /^(http_req_\w+|iteration_duration|group_duration|grpc_\w+|ws_(connecting|session_duration|ping))\b(?<!http_req_failed)/;

/** What a metric counts; nothing for what cannot be the same twice. */
export function countsOf(name: string, values: Values): Record<string, number> {
  if (ofTheMoment.test(name) || timings.test(name)) return {};
  const has = (stat: string) => typeof values[stat] === 'number';
  const stats = has('passes') ? ['passes', 'fails'] : has('avg') || has('max') ? ['min', 'max'] : ['count'];
  return Object.fromEntries(stats.flatMap((stat) => (has(stat) ? [[`${name} ${stat}`, Number(values[stat])]] : [])));
}

interface Check {
  readonly path: string;
  readonly passes: number;
  readonly fails: number;
}

interface Group {
  readonly checks: readonly Check[] | Readonly<Record<string, Check>>;
  readonly groups: readonly Group[] | Readonly<Record<string, Group>>;
}

/** The checks of a group and all below it, in either of k6's spellings: a list, or by name. */
export function checksOf(group: Group | undefined): Record<string, string> {
  if (group === undefined) return {};
  const own = Object.values(group.checks).map(({ path, passes, fails }) => [path, `${passes}/${fails}`] as const);
  return Object.assign(Object.fromEntries(own), ...Object.values(group.groups).map(checksOf));
}

/** Outcomes counted: `met 2, missed 1`. */
export function inWords(outcomes: readonly ('met' | 'missed' | 'no data')[]): string {
  const kinds = (['met', 'missed', 'no data'] as const).map((kind) => [kind, outcomes.filter((one) => one === kind).length] as const);
  return kinds.flatMap(([kind, count]) => (count > 0 ? [`${kind} ${count}`] : [])).join(', ');
}

/** A metric's name without the spaces that k6 lets stand around its tags. */
export function inOneSpelling(metric: string): string {
  return metric.replace(/\s*([{},])\s*/g, '$1');
}

/** The files in a folder, without folders. */
export function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(names.map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** A JSON file; undefined where there is none. */
export function readJson<T>(file: string): T | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}

/** What a script said, from k6's log in JSON: `level message`. */
export function talkIn(log: string): string[] {
  const lines = log.split('\n').filter((line) => line.includes('"source":"console"'));
  return lines.map((line) => {
    const { level, msg } = JSON.parse(line) as { level: string; msg: string };
    return `${level} ${msg}`;
  });
}
