import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LaidOver } from './effective-options.js';
import { parseLogLine } from './log.js';

/** What the module that makes k6 inspect a script is made of. Modules are named by URL. */
export interface Probe {
  readonly before: string;
  readonly script: string;
  /** Counters that the script may have. */
  readonly counters: readonly string[];
  /** What is laid over its options; missing where k6 takes them from an archive. */
  readonly laid?: LaidOver;
}

/** What a probe says that `k6 inspect` does not. */
export interface ToldByProbe {
  readonly functions: readonly string[];
  readonly counters: readonly string[];
  /** Options by which the script makes a load of its own. */
  readonly ownLoad: readonly string[];
  /** Scenarios of the plan that neither it nor the script makes whole. */
  readonly incomplete: readonly string[];
}

/** How the log line of a probe begins. */
const mark = 'loadctl-probe ';

/** The module that lays options over each other, where k6 finds it: a file of its own, beside what is bundled. */
function effectiveOptionsUrl(): string {
  const root = dirname(createRequire(import.meta.url).resolve('loadctl/package.json'));
  return pathToFileURL(join(root, 'dist', 'k6', 'effective-options.js')).href;
}

/**
 * A k6 module around the user's that exports the test's options, and tells in one line of k6's log what the script exports
 * and which counters it has: k6 refuses a second metric of the same name and another type.
 */
export function probeSource({ before, script, counters, laid }: Probe): string {
  const [from, own] = [JSON.stringify(script), 'user.options || {}'];
  return `import ${JSON.stringify(before)};
import { Counter, Trend } from 'k6/metrics';
${laid === undefined ? '' : `import { effectiveOptions, incompleteScenarios, ownLoad } from ${JSON.stringify(effectiveOptionsUrl())};`}
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
const told = {
  functions: Object.keys(user).filter((name) => typeof user[name] === 'function'),
  counters: ${JSON.stringify(counters)}.filter((name) => isTaken(Trend, name) && !isTaken(Counter, name)),
};
${
  laid === undefined
    ? ''
    : `export const options = effectiveOptions(${own}, ${JSON.stringify(laid)});
Object.assign(told, { ownLoad: ownLoad(${own}), incomplete: incompleteScenarios(options) });`
}
console.log('${mark}' + JSON.stringify(told));
`;
}

/** Reads a probe's line out of k6's log; undefined where the script's init code did not let it get so far. */
export function toldByProbe(log: string): ToldByProbe | undefined {
  const line = log
    .split('\n')
    .map(parseLogLine)
    .find(({ message }) => message.startsWith(mark));
  if (line === undefined) return undefined;
  const told = JSON.parse(line.message.slice(mark.length)) as Partial<ToldByProbe>;
  return { functions: told.functions ?? [], counters: told.counters ?? [], ownLoad: told.ownLoad ?? [], incomplete: told.incomplete ?? [] };
}
