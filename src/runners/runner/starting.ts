import { createServer } from 'node:net';
import { join } from 'node:path';
import { howItEnded } from '../../core/ends.js';
import { LoadctlError } from '../../core/errors.js';
import type { Clock, ProcessEnd } from '../../core/os.js';
import { k6Exit } from '../../k6/exit-codes.js';
import type { HostShare } from '../../k6/go-runtime.js';
import { initError } from '../../k6/script-errors.js';
import type { HostFacts } from '../../plan/capacity.js';
import { type Runner, runnerFiles } from './types.js';

/** How long it is waited before it is asked again: first, at most, and how much longer each time. */
const poll = { firstMs: 50, mostMs: 1000, growth: 1.2 };
const portAttempts = 5;

/** A runner whose process was just started. */
export interface Started {
  readonly runner: Runner;
  /** Whether it is its own process that answers at its REST API, and not somebody else's k6. Never rejects. */
  answersItself(): Promise<boolean>;
}

/**
 * Starts a runner by `spawnRunner`, which gives it a port for its REST API, and waits until that answers. A port that is
 * free now may be taken a moment later: k6 then says so by its exit code, or somebody else's k6 answers there. Then it is
 * tried again with another one.
 */
export async function startAnswering(spawnRunner: () => Promise<Started>, clock: Clock, attemptsLeft = portAttempts): Promise<Runner> {
  const { runner, answersItself } = await spawnRunner();
  const end = await answersOrEnds(runner, clock);
  if (end === undefined && (await answersItself())) return runner;
  if (end === undefined) {
    runner.end('hard');
    await runner.ended;
  }
  const taken = end === undefined || end.exitCode === k6Exit.restPortTaken;
  if (!taken || attemptsLeft === 1) throw await startError(runner, end ?? { exitCode: k6Exit.restPortTaken });
  await runner.readLog(); // the next one logs into the same file
  return startAnswering(spawnRunner, clock, attemptsLeft - 1);
}

/** Waits until the REST API answers, however long the script's init code takes; the end of the process when it goes first. */
async function answersOrEnds(runner: Runner, clock: Clock): Promise<ProcessEnd | undefined> {
  const ended = runner.ended.then((end) => ({ end }));
  for (let waitMs = poll.firstMs; ; waitMs = Math.min(poll.mostMs, waitMs * poll.growth)) {
    const answer = runner.api.status().then(
      () => 'answered' as const,
      () => clock.sleep(waitMs).then(() => 'silent' as const),
    );
    const first = await Promise.race([ended, answer]);
    if (first === 'answered') return undefined;
    if (first !== 'silent') return first.end;
  }
}

async function startError(runner: Runner, end: ProcessEnd): Promise<LoadctlError> {
  const { folder } = await runner.collect();
  const said = (await runner.readLog()).digest.errors.flatMap((line) => line.message.split('\n'));
  if (end.exitCode === k6Exit.scriptException || end.exitCode === k6Exit.testAborted)
    return initError({ exitCode: end.exitCode, stderr: said.join('\n') }, { script: 'the script', missing: { inShell: [], nowhere: [] } });
  return new LoadctlError('unavailable', `Runner ${runner.id} on ${runner.host} did not start (${howItEnded(end)}).`, {
    lines: said.slice(0, 10),
    hint: `Its log is ${join(folder, runnerFiles.log)}.`,
  });
}

/** A port of this machine's loopback on which nothing listens right now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** What each of `runners` on a host has for itself. A runner that is alone may use any CPU, as k6 does by itself. */
export function shareOf({ freeMemoryBytes, cpus }: HostFacts, runners: number): HostShare {
  return {
    ...(freeMemoryBytes === undefined ? {} : { memoryBytes: freeMemoryBytes / runners }),
    ...(cpus === undefined || runners === 1 ? {} : { cpus: cpus / runners }),
  };
}
