import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../../core/errors.js';
import type { Clock, Process } from '../../core/os.js';
import { runnerApi } from '../../k6/rest.js';
import { agentFiles, endBehindAgent, heartbeatMs, withAgent } from '../runner/agent.js';
import { freePort, shareOf, startAnswering } from '../runner/starting.js';
import { type Backend, type BackendContext, type Runner, type RunnerLaunch, type RunnerPlace, runnerFiles } from '../runner/types.js';
import { localVitals } from './local-vitals.js';
import { readMeans } from './this-machine.js';

/** Runners as processes of this machine, each in a process group of its own, their REST API on loopback. */
export function localBackend(context: BackendContext): Backend {
  let here: ReturnType<typeof readMeans> | undefined;
  return {
    noticeMs: 2000,
    start: async (launch) => {
      here ??= readMeans(); // before any runner takes its share
      const share = shareOf(await here, context.profile.count);
      const spawnHere = async () => spawnRunner(context, launch, { address: `127.0.0.1:${await freePort()}`, share });
      return startAnswering(spawnHere, context.clock);
    },
    close: async () => {},
  };
}

function spawnRunner(
  { spawn, clock }: BackendContext,
  launch: RunnerLaunch,
  { address, share }: Pick<RunnerPlace, 'address' | 'share'>,
): Runner {
  const { folder, inputs, reachable } = launch;
  const inFolder = (name: keyof typeof runnerFiles) => join(folder, runnerFiles[name]);
  const command = launch.command({ address, folder, inputs, reachablePort: reachable.port, share });
  const agent = spawn(withAgent(command, folder), { ownGroup: true, stdinPipe: true });
  const ended = agent.ended.then(endBehindAgent);
  void keepAlive(agent, clock);
  return {
    id: launch.id,
    host: hostname(),
    pid: async () => numberIn(await textOf(join(folder, agentFiles.pid))),
    api: runnerApi(`http://${address}`),
    ended,
    vitals: async () => localVitals(numberIn(await textOf(join(launch.folder, agentFiles.pid))), spawn),
    end: (how) => void agent.kill(how === 'hard' ? 'SIGKILL' : 'SIGTERM'),
    collect: async () => ({
      summary: await textOf(inFolder('summary')),
      facts: await textOf(inFolder('facts')),
      log: (await textOf(inFolder('log'))) ?? '',
      folder,
    }),
  };
}

async function keepAlive(agent: Process, clock: Clock): Promise<void> {
  const gone = new AbortController();
  void agent.ended.then(() => gone.abort());
  while (!gone.signal.aborted) {
    agent.write('\n');
    await clock.sleep(heartbeatMs, gone.signal);
  }
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
