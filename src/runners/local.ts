import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errorCode, LoadctlError } from '../core/errors.js';
import type { Clock, Process, ProcessEnd } from '../core/os.js';
import { k6Exit } from '../k6/exit-codes.js';
import { logErrors } from '../k6/log.js';
import { runnerApi } from '../k6/rest.js';
import { initError } from '../k6/script.js';
import { agentFiles, endBehindAgent, heartbeatMs, withAgent } from './agent.js';
import { localVitals } from './local-vitals.js';
import { type Backend, type BackendContext, type Runner, type RunnerLaunch, runnerFiles } from './types.js';

const pollMs = 50;
const answerMs = 30_000;
const portAttempts = 5;

/** Runners as processes of this machine, each in a process group of its own, their REST API on loopback. */
export function localBackend(context: BackendContext): Backend {
  return { noticeMs: 2000, start: (launch) => startOnFreePort(context, launch, portAttempts) };
}

/** A port that is free now may be taken a moment later: k6 then says so by its exit code, and another one is tried. */
async function startOnFreePort(context: BackendContext, launch: RunnerLaunch, attemptsLeft: number): Promise<Runner> {
  const runner = spawnRunner(context, launch, `127.0.0.1:${await freePort()}`);
  const end = await answersOrEnds(context, runner);
  if (end === undefined) return runner;
  if (end.exitCode === k6Exit.restPortTaken && attemptsLeft > 1) return startOnFreePort(context, launch, attemptsLeft - 1);
  throw await startError(launch, end);
}

function spawnRunner({ spawn, clock }: BackendContext, launch: RunnerLaunch, address: string): Runner {
  const inFolder = (name: keyof typeof runnerFiles) => join(launch.folder, runnerFiles[name]);
  const agent = spawn(withAgent(launch.command(address, launch.folder), launch.folder), { ownGroup: true, stdinPipe: true });
  const ended = agent.ended.then(endBehindAgent);
  void keepAlive(agent, clock);
  return {
    id: launch.id,
    host: hostname(),
    pid: async () => numberIn(await textOf(join(launch.folder, agentFiles.pid))),
    api: runnerApi(`http://${address}`),
    ended,
    vitals: async () => localVitals(numberIn(await textOf(join(launch.folder, agentFiles.pid))), spawn),
    end: (how) => void agent.kill(how === 'hard' ? 'SIGKILL' : 'SIGTERM'),
    collect: async () => ({
      summary: await textOf(inFolder('summary')),
      facts: await textOf(inFolder('facts')),
      log: (await textOf(inFolder('log'))) ?? '',
      folder: launch.folder,
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

/** Waits until the REST API answers; the end of the process when it goes first. */
async function answersOrEnds({ clock }: BackendContext, runner: Runner): Promise<ProcessEnd | undefined> {
  const ended = runner.ended.then((end) => ({ end }));
  const deadline = clock.now() + answerMs;
  while (clock.now() < deadline) {
    const answer = runner.api.status().then(
      () => 'answered' as const,
      () => clock.sleep(pollMs).then(() => 'silent' as const),
    );
    const first = await Promise.race([ended, answer]);
    if (first === 'answered') return undefined;
    if (first !== 'silent') return first.end;
  }
  runner.end('hard');
  return (await ended).end;
}

async function startError(launch: RunnerLaunch, end: ProcessEnd): Promise<LoadctlError> {
  const logFile = join(launch.folder, runnerFiles.log);
  const log = (await textOf(logFile)) ?? '';
  if (end.exitCode === k6Exit.scriptException || end.exitCode === k6Exit.testAborted)
    return initError({ exitCode: end.exitCode, stderr: log }, 'the script');
  const said = logErrors(log).flatMap((line) => line.message.split('\n'));
  const how = end.error ?? (end.signal ? `signal ${end.signal}` : `exit code ${end.exitCode}`);
  return new LoadctlError('unavailable', `Runner ${launch.id} did not start: k6 ended with ${how}.`, {
    lines: said.slice(0, 10),
    hint: `Its log is ${logFile}.`,
  });
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
