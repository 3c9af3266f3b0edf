import { isInCloud } from '../plan/cloud.js';
import { runInCloud } from './cloud/run-in-cloud.js';
import type { RunContext } from './frame/context.js';
import { type RunOptions, type RunResult, run } from './run/run.js';

/** Carries a plan's load out where it says: by a fleet, as one test, or in Grafana Cloud. */
export function loadBy(context: RunContext, options: RunOptions): Promise<RunResult> {
  return isInCloud(context.plan) ? runInCloud(context, options) : run(context, options);
}
