import { join } from 'node:path';
import type { Milliseconds } from '../../core/quantities.js';
import { runnerCommand } from '../../k6/arguments.js';
import { goRuntime } from '../../k6/go-runtime.js';
import type { PushAddress } from '../../k6/remote-write/receiver.js';
import { factsFileVariable } from '../../k6/wrapper.js';
import { type RunnerLaunch, runnerFiles } from '../../runners/runner/types.js';
import { makeRunnerFolder } from '../../runs/write.js';
import type { LiveData } from '../watch/live-data.js';
import type { Attempt } from './attempt.js';

/** How each runner of the plan is started: the same archive, its own segment, its own folder, its own way to push. */
export function launches({ context: { plan }, test, directory }: Attempt, live: LiveData, pushEvery: Milliseconds): RunnerLaunch[] {
  return plan.runners.map(({ id, segment, sequence }, index) => ({
    id,
    folder: makeRunnerFolder(directory, id),
    inputs: { k6: test.k6.file, configFile: test.k6.configFile, archive: test.archive, archiveSha256: test.archiveSha256 },
    ownFiles: (plan.k6Outputs ?? []).map((output) => output.slice(output.indexOf('=') + 1)),
    reachable: live.reachable,
    command: ({ address, folder, inputs, reachablePort, share }) => {
      const env = { ...goRuntime(share), ...test.k6.env, LOADCTL_RUNNER: id, [factsFileVariable]: join(folder, runnerFiles.facts) };
      const task = {
        archive: inputs.archive,
        segment,
        sequence,
        address,
        ...(test.rps[index] === undefined ? {} : { rps: test.rps[index] }),
        summaryFile: join(folder, runnerFiles.summary),
        push: throughPort(live.addressFor(id), reachablePort),
        pushEvery,
        outputs: (plan.k6Outputs ?? []).map((output) => output.replace('=', `=${folder}/`)),
      };
      return runnerCommand({ file: inputs.k6, configFile: inputs.configFile, env }, task);
    },
  }));
}

/** The same address as a runner reaches it, by a port of its own loopback. */
function throughPort({ url, token }: PushAddress, port: number): PushAddress {
  const reached = new URL(url);
  reached.port = String(port);
  return { url: reached.href, token };
}
