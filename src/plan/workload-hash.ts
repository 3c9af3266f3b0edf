import { contentHash } from './canonical.js';
import type { Plan } from './plan.js';

/**
 * sha256 (hex) of what makes the load, and of nothing else: runs that have the same one made the same load, wherever to, whatever
 * watched them, and whoever was told of it. The hash of the plan covers all of that; it is what was approved.
 */
export function workloadHash(plan: Plan): string {
  const { scriptFiles, scriptOnly, load, scale, pacing, steady, draws, users, env, options, k6Outputs, endpoints, runners } = plan;
  const makers = runners.map(({ segment, sequence }) => ({ segment, sequence, backend: plan.fleet.backend }));
  return contentHash({ scriptFiles, scriptOnly, load, scale, pacing, steady, draws, users, env, options, k6Outputs, endpoints, makers });
}
