import { pathToFileURL } from 'node:url';
import type { Milliseconds } from '../core/quantities.js';
import type { Contains } from '../metrics/summary.js';

/**
 * The metric in which a wrapped script notes, in its first iterations, when its test began (epoch ms): not when they
 * began, as slow arrivals and ramps give later VUs a later first iteration by plan. Ours, never shown.
 */
export const beginMetric = 'loadctl_begin';

/** Where a runner's wrapped handleSummary writes its {@link RunnerFacts}: the name of the environment variable. */
export const factsFileVariable = 'LOADCTL_FACTS_FILE';

/** What a runner's `--summary-export` does not say. */
export interface RunnerFacts {
  /** How long its test lasted, without setup, teardown, pause and linger. */
  readonly durationMs: Milliseconds;
  /** What each metric contains: k6's `default`, `time` or `data`. */
  readonly contains: Readonly<Record<string, Contains>>;
}

/** What the user's script is wrapped with. */
export interface Wrapping {
  /** Absolute path of the user's script. */
  readonly script: string;
  /** Functions that scenarios execute, beside the default one. */
  readonly execNames: readonly string[];
  readonly hasDefault: boolean;
  /** k6 options laid over the script's own, top-level key by key. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Options of the script that give way, because `options` says the same in other words. */
  readonly dropped: readonly string[];
  /** All thresholds: the script's, without `abortOnFail`, and those that bring our sub-metrics into being. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
  /** Sub-metrics of the script's counters that tell what it drew. */
  readonly choices: readonly string[];
  /** Iterations begun in it carry the tag `part:steady`, all others `part:ramp`; no tag where it is missing. */
  readonly steady: { readonly from: Milliseconds; readonly to?: Milliseconds } | undefined;
}

/**
 * A k6 module around the user's: the same functions and options, and besides: the tag `part` on every iteration, the
 * thresholds that make sub-metrics, and a handleSummary that tells loadctl what the summary export leaves out. The user's own
 * handleSummary runs once, on merged data, elsewhere ({@link handOverSource}).
 */
export function wrapperSource(wrapping: Wrapping): string {
  const script = specifier(wrapping.script);
  const thresholds = { ...Object.fromEntries(wrapping.choices.map((key) => [key, ['count>=0']])), ...wrapping.thresholds };
  return `// Made by loadctl for one run: the user's script, with its iterations tagged and its numbers handed over.
import exec from 'k6/execution';
import { Gauge } from 'k6/metrics';
import * as user from ${script};
export * from ${script};

const { ${wrapping.dropped.map((name) => `${name}: _${name}, `).join('')}...own } = user.options || {};
export const options = { ...own, ...${JSON.stringify(wrapping.options)}, thresholds: ${JSON.stringify(thresholds)} };

const begin = new Gauge('${beginMetric}');

// Each look at exec makes its objects anew, which halves the rate of a small script: so once a VU. Rest parameters and
// apply() would take a tenth of it; k6 hands an iteration one argument, what setup() returned.
let tags, began;
function lookAround() {
  tags = exec.vu.metrics.tags;
  began = Date.now() - exec.instance.currentTestRunDuration;
  begin.add(began);
}

function tagged(iterate) {
  return (data) => {
    if (began === undefined) lookAround();
    ${wrapping.steady === undefined ? '' : tagging(wrapping.steady)}return iterate(data);
  };
}

${wrapping.hasDefault ? 'export default tagged(user.default);' : ''}
${wrapping.execNames.map(exportTagged).join('\n')}

export function handleSummary(data) {
  const contains = {};
  for (const name in data.metrics) contains[name] = data.metrics[name].contains;
  delete data.setup_data; // k6 would export it with the numbers, and it may hold a token
  return { [__ENV.${factsFileVariable}]: JSON.stringify({ durationMs: data.state.testRunDurationMs, contains }) };
}
`;
}

/** A VU that goes on to another scenario loses its tags: so part is read before it is written, every time. */
function tagging({ from, to }: NonNullable<Wrapping['steady']>): string {
  if (from === 0 && to === undefined) return "if (tags.part !== 'steady') tags.part = 'steady';\n    ";
  const upTo = to === undefined ? '' : ` && at < ${to}`;
  return `const at = Date.now() - began;
    const part = at >= ${from}${upTo} ? 'steady' : 'ramp';
    if (tags.part !== part) tags.part = part;
    `;
}

/** k6 reads a specifier as a URL: in a bare path `%20`, `#` and `?` would mean something else. */
function specifier(path: string): string {
  return JSON.stringify(pathToFileURL(path).href);
}

/** Under a local name of ours: the user's may be no identifier, or one that the wrapper itself uses. */
function exportTagged(name: string, index: number): string {
  const quoted = JSON.stringify(name);
  return `const iterate${index} = tagged(user[${quoted}]);\nexport { iterate${index} as ${quoted} };`;
}

/**
 * A k6 module that tells, as one log line beginning with {@link probeMark}, what the user's script exports, and which of
 * `counters` it has: k6 refuses a second metric of the same name and another type.
 */
export function probeSource(script: string, counters: readonly string[]): string {
  const from = specifier(script);
  return `import { Counter, Trend } from 'k6/metrics';
import * as user from ${from};
export * from ${from};
export default user.default;
function isTaken(Metric, name) {
  try {
    new Metric(name);
    return false;
  } catch {
    return true;
  }
}
const counters = ${JSON.stringify(counters)}.filter((name) => isTaken(Trend, name) && !isTaken(Counter, name));
console.log('${probeMark}' + JSON.stringify({ options: user.options || {}, counters, functions: Object.keys(user).filter((name) => typeof user[name] === 'function') }));
`;
}

/** How the log line of {@link probeSource} begins. */
export const probeMark = 'loadctl-probe ';

/** Files that {@link handOverSource} is given and writes. */
export interface HandOverFiles {
  /** The merged data as JSON. */
  readonly data: string;
  /** What the user's handleSummary threw, if it did. */
  readonly thrown: string;
  /** What it wants on stderr, which k6 would mix into its log. */
  readonly stderr: string;
}

/**
 * A k6 module whose handleSummary is the user's own, called once with merged data. Its one iteration does nothing, and
 * it always hands k6 something: else k6 would print a summary of that iteration.
 */
export function handOverSource(script: string, files: HandOverFiles): string {
  return `import { handleSummary as userHandleSummary } from ${specifier(script)};
const data = JSON.parse(open(${JSON.stringify(files.data)}));
export const options = { vus: 1, iterations: 1 };
export default function () {}
export async function handleSummary() {
  try {
    const { stderr, ...rest } = (await userHandleSummary(data)) || {};
    return stderr === undefined ? rest : { ...rest, [${JSON.stringify(files.stderr)}]: stderr };
  } catch (error) {
    return { [${JSON.stringify(files.thrown)}]: String((error && error.stack) || error) };
  }
}
`;
}
