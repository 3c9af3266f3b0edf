import type { Milliseconds } from '../../core/quantities.js';
import { capacityOf } from '../../plan/capacity.js';
import { longestMs } from '../../plan/inspection.js';
import { fleetLoad, loadHosts } from '../../plan/load-hosts.js';
import type { Plan } from '../../plan/plan.js';
import type { Expected } from '../../runners/runner/types.js';
import type { TestShape } from './test-shape.js';

/** Writing numbers and bringing them here, and what lies between the parts of a test. */
const aroundMs: Milliseconds = 2 * 60_000;

/** What is expected of each runner of a test, by the plan's figures and k6's. */
export function expectedOf(plan: Plan, test: TestShape): Expected {
  const { readyTimeout, count } = plan.fleet;
  const hosts = loadHosts({ isHere: false, hosts: [] }, count, {});
  const setupMs = test.hasSetup ? test.setupTimeoutMs : 0;
  const teardownMs = test.hasTeardown ? test.teardownTimeoutMs : 0;
  return {
    needs: capacityOf(fleetLoad(plan, test.load) ?? test.load, hosts).runner,
    lifeMs: readyTimeout + setupMs + longestMs(test) + teardownMs + aroundMs,
  };
}
