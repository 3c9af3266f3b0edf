import { cleanupRule } from './cleanup.js';
import { cloudRule } from './cloud.js';
import { abortRule, runnersRule } from './fleet.js';
import { kubernetesRule } from './kubernetes.js';
import { mapKeysRule } from './map-keys.js';
import { mapNamesRule } from './map-names.js';
import { criticalRule, monitorsRule } from './monitors.js';
import { outputsRule } from './outputs.js';
import { sameKeysRule } from './same-keys.js';
import { memberRule, poolRule, setsRule } from './sets.js';
import { storeNamesRule } from './store-names.js';
import { storesRule } from './stores.js';
import { targetRule } from './target.js';
import type { Broken, Checked, Rule } from './types.js';
import { workloadRule } from './workload.js';

const rules: readonly Rule[] = [
  mapNamesRule,
  targetRule,
  workloadRule,
  storesRule,
  storeNamesRule,
  setsRule,
  mapKeysRule,
  sameKeysRule,
  memberRule,
  poolRule,
  cleanupRule,
  runnersRule,
  kubernetesRule,
  cloudRule,
  abortRule,
  monitorsRule,
  criticalRule,
  outputsRule,
];

/** Everything that several words of a profile get wrong together. */
export function brokenRules(checked: Checked): Broken[] {
  return rules.flatMap((rule) => rule(checked));
}
