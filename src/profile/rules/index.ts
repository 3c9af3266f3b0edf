import { cleanupRule, lookupRule, referenceRule, seedRule } from './data.js';
import { abortRule, runnersRule } from './fleet.js';
import { storesRule } from './stores.js';
import { targetRule } from './target.js';
import type { Broken, Checked, Rule } from './types.js';
import { workloadRule } from './workload.js';

const rules: readonly Rule[] = [
  targetRule,
  workloadRule,
  storesRule,
  referenceRule,
  seedRule,
  lookupRule,
  cleanupRule,
  runnersRule,
  abortRule,
];

/** Everything that several words of a profile get wrong together. */
export function brokenRules(checked: Checked): Broken[] {
  return rules.flatMap((rule) => rule(checked));
}
