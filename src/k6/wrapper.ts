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

/** What the user's script is wrapped with. Modules are named by URL. */
export interface Wrapping {
  readonly before: string;
  readonly script: string;
  /** Functions that scenarios execute, beside the default one. */
  readonly execNames: readonly string[];
  readonly hasDefault: boolean;
  /** The test's options as one k6 completes them: what the script sees of them. */
  readonly own: Readonly<Record<string, unknown>>;
  /** The options that k6 is given: see {@link fleetOptions}. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Iterations begun in it carry the tag `part:steady`, all others `part:ramp`; no tag where it is missing. */
  readonly steady: { readonly from: Milliseconds; readonly to?: Milliseconds } | undefined;
}

/**
 * A k6 module around the user's: the same functions, and besides: the tag `part` on every iteration, thresholds that make
 * sub-metrics, a grid of percentiles, and a handleSummary that tells loadctl what the summary export leaves out. The user's
 * own handleSummary runs once, on merged data, elsewhere (hand-over.ts).
 */
export function wrapperSource(wrapping: Wrapping): string {
  const script = JSON.stringify(wrapping.script);
  return `// Made by loadctl for one run: the user's script, with its iterations tagged and its numbers handed over.
import ${JSON.stringify(wrapping.before)};
import exec from 'k6/execution';
import { Gauge } from 'k6/metrics';
import * as user from ${script};
export * from ${script};

export const options = ${JSON.stringify(wrapping.options)};
${ownOptions(wrapping.own)}
const begin = new Gauge('${beginMetric}');

// Each look at exec makes its objects anew, which halves the rate of a small script: so once a VU. Rest parameters and
// apply() would take a tenth of it; k6 hands an iteration one argument, what setup() returned.
let tags, began, last;
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

/**
 * The script sees its own options. k6 writes what it completed into the object that the main module exports: here into the
 * user's. And `exec.test.options` are made anew at each access, by JSON.parse (k6: optionsAsObject), of the options that k6
 * was given: our grid has 1,100 columns, which takes a hundred times as long as all the rest. So that call, which nobody
 * else makes like this, is given the test's own, and as k6 freezes them, the same ones each time.
 */
export function ownOptions(own: Wrapping['own']): string {
  return `
const own = () => (${JSON.stringify(own)});
if (user.options && Object.isExtensible(user.options)) {
  const completed = own();
  for (const name in completed) if (completed[name] !== null) user.options[name] = completed[name];
}
const parse = JSON.parse;
let seen;
JSON.parse = function (text, reviver) {
  if (this === undefined && typeof text === 'string' && text.startsWith('{"paused":')) return (seen ??= own());
  return reviver === undefined ? parse(text) : parse(text, reviver);
};
`;
}

/** A VU that goes on to another scenario loses its tags: so part is read before it is written, every time. */
function tagging({ from, to }: NonNullable<Wrapping['steady']>): string {
  if (from === 0 && to === undefined) return "if (tags.part !== 'steady') tags.part = 'steady';\n    ";
  const upTo = to === undefined ? '' : ` && at < ${to}`;
  return `const now = Date.now();
    if (now < last) began += now - last; // somebody set the clock back
    last = now;
    const at = now - began;
    const part = at >= ${from}${upTo} ? 'steady' : 'ramp';
    if (tags.part !== part) tags.part = part;
    `;
}

/** Under a local name of ours: the user's may be no identifier, or one that the wrapper itself uses. */
function exportTagged(name: string, index: number): string {
  const quoted = JSON.stringify(name);
  return `const iterate${index} = tagged(user[${quoted}]);\nexport { iterate${index} as ${quoted} };`;
}
