import { formatDuration, trimNumber } from '../../core/quantities.js';
import { cloudLimits, isInCloud, secretsThatLeave } from '../../plan/cloud.js';
import type { Plan } from '../../plan/plan.js';

/** What Grafana Cloud is to do, what leaves for it, and what comes back; none where runners make the load. */
export function cloudPlanLines(plan: Plan, kept: readonly string[]): string[] {
  const { cloud } = plan.fleet;
  if (!isInCloud(plan) || cloud === undefined) return [];
  const zones = Object.entries(cloud.zones).map(([zone, share]) => `${zone} ${trimNumber(share * 100, 0)}%`);
  const secrets = secretsThatLeave(plan);
  const others = secrets.filter((name) => !cloud.env.includes(name));
  const names = cloud.env.map((name) => (secrets.includes(name) ? `${name} (secret)` : name));
  const { unmeasured } = cloudLimits(plan.criteria);
  return [
    `Grafana Cloud, project ${cloud.project} of stack ${cloud.stack}: ${zones.length === 0 ? "the script's load zones, or the usual one" : zones.join(', ')}`,
    'no common start and no merged numbers: thresholds are held there, and pass or fail is what comes back',
    `variables that leave: ${names.length === 0 ? 'none' : names.join(', ')}; k6 itself puts the token into the test's options`,
    ...(others.length === 0 ? [] : [`options that leave: the test's own, with the secrets of ${others.join(', ')}`]),
    ...(kept.length === 0 ? [] : [`variables that the script reads and that do not leave (runners.cloud.env): ${kept.join(', ')}`]),
    ...(plan.steady === undefined ? [] : [`limits are held against the whole test there, not ${spanOf(plan.steady)} alone`]),
    ...(unmeasured.length === 0 ? [] : [`not measured: ${unmeasured.map(({ name }) => name).join(', ')}`]),
    ...(plan.monitors.length === 0 ? [] : ['monitors are not started']),
  ];
}

function spanOf({ from, to }: NonNullable<Plan['steady']>): string {
  return `${formatDuration(from)}–${formatDuration(to)}`;
}
