import { formatDuration } from '../core/quantities.js';
import { contentHash } from './canonical.js';
import type { Plan, PlannedLoad } from './plan.js';

/**
 * sha256 (hex) of what makes the load, and of nothing else: runs that have the same one made the same load, wherever to, whatever
 * watched them, and whoever was told of it. The hash of the plan covers all of that; it is what was approved.
 */
export function workloadHash(plan: Plan): string {
  const { scriptFiles, scriptOnly, load, scale, pacing, steady, draws, users, env, options, k6Outputs, endpoints, runners } = plan;
  const makers = runners.map(({ segment, sequence }) => ({ segment, sequence, backend: plan.fleet.backend }));
  return contentHash({ scriptFiles, scriptOnly, load, scale, pacing, steady, draws, users, env, options, k6Outputs, endpoints, makers });
}

/** What makes the load, part by part and in words as far as they are short: where two workloads differ. */
export function workloadParts(plan: Plan): Record<string, string> {
  const { scriptFiles, scriptOnly, load, scale, pacing, steady, draws, users, env, options, k6Outputs, endpoints, runners } = plan;
  return {
    script: digest(scriptFiles),
    load: load === undefined ? 'of the script' : loadText(load),
    ...(scale === undefined ? {} : { scale: `${scale}` }),
    ...(pacing === undefined ? {} : { pacing: formatDuration(pacing) }),
    'judged part': steady === undefined ? 'all' : `${formatDuration(steady.from)}–${formatDuration(steady.to)}`,
    'mix and sessions': digest({ draws, endpoints: endpoints.map(({ name }) => name), users }),
    'variables and options': digest({ env, scriptOnly, options, k6Outputs }),
    runners: `${runners.length} (${plan.fleet.backend})`,
  };
}

function loadText({ vus, rate, duration, ramp }: PlannedLoad): string {
  const words = [
    `${vus} VUs`,
    ...(rate === undefined ? [] : [`${rate}/s`]),
    formatDuration(duration),
    ...(ramp === undefined ? [] : [`ramp ${formatDuration(ramp)}`]),
  ];
  return words.join(', ');
}

function digest(part: unknown): string {
  return contentHash(part).slice(0, digits);
}

/** Of a hash: enough to see that two differ. */
const digits = 12;
