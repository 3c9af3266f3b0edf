import { join } from 'node:path';
import { runnerCommand } from '../k6/arguments.js';
import { factsFileVariable } from '../k6/wrapper.js';
import type { Plan } from '../plan/plan.js';
import { type RunnerLaunch, runnerFiles } from '../runners/types.js';
import type { LiveData } from './live-data.js';
import type { PreparedTest } from './prepare.js';
import { makeRunnerFolder, type RunDirectory } from './run-directory.js';

/** How each runner of the plan is started: the same archive, its own segment, its own folder, its own way to push. */
export function launches(plan: Plan, test: PreparedTest, live: LiveData, directory: RunDirectory, userAgent: string): RunnerLaunch[] {
  return plan.runners.map(({ id, segment, sequence }, index) => ({
    id,
    folder: makeRunnerFolder(directory, id),
    command: (address, folder) => {
      const env = { ...test.k6.env, LOADCTL_RUNNER: id, [factsFileVariable]: join(folder, runnerFiles.facts) };
      const task = {
        archive: test.archive,
        segment,
        sequence,
        address,
        trendStats: test.trendStats,
        ...(typeof test.options.userAgent === 'string' ? {} : { userAgent }),
        ...(test.rps[index] === undefined ? {} : { rps: test.rps[index] }),
        summaryFile: join(folder, runnerFiles.summary),
        push: live.addressFor(id),
      };
      return runnerCommand({ ...test.k6, env }, task);
    },
  }));
}
