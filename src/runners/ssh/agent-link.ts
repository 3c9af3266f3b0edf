import { type LastSign, lastSign } from '../../core/liveness.js';
import type { Clock, Process, ProcessEnd } from '../../core/os.js';
import { heartbeatMs } from '../runner/agent.js';
import type { BackendContext } from '../runner/types.js';
import { type AgentSettings, agentCommand } from './agent-script.js';
import { type Answer, readAnswer } from './answers.js';
import { connectCommand, type SshHost } from './commands.js';
import { type ConnectFailure, connectFailure } from './failures.js';
import type { ToldFacts } from './host-facts.js';

/** A login may take its time: a slow directory service, a chain of jump hosts. */
const loginMs = 30_000;
/** A host whose agent has not answered a heartbeat for so long is lost: its k6 end themselves by then. */
const silentMs = 4000;
const farewellMs = 3000;
const linesKept = 50;

/** The one session with a host's agent, on the connection that all else shares. */
export interface AgentLink {
  /** The agent's folder on the host. */
  readonly folder: string;
  /** What it has told of the host. */
  readonly facts: ToldFacts;
  order(text: string): void;
  /** Resolves with the next answer of this kind; with undefined when the host is lost before it comes. */
  next<T extends Answer['type']>(type: T, runner?: string): Promise<Extract<Answer, { type: T }> | undefined>;
  /** Hands all answers to `listener`, until the returned function is called; undefined when the host is lost. */
  listen(listener: Listener): () => void;
  readonly isLost: () => boolean;
  /** Resolves when the host's sshd has refused to let a tunnel through. */
  readonly tunnelRefused: Promise<void>;
  /** Has the agent end every k6 and leave nothing behind, and hangs up. */
  close(): Promise<void>;
}

type Listener = (answer: Answer | undefined) => void;

/** Opens the connection to a host and starts its agent there; when that fails, why. */
export async function openLink(
  host: SshHost,
  settings: AgentSettings,
  { spawn, clock, signal }: BackendContext,
): Promise<AgentLink | ConnectFailure> {
  const said: string[] = [];
  const facts = new Map<string, string>();
  const listeners = new Set<Listener>();
  const gone = new AbortController();
  const sign = lastSign(clock);
  const hear = (line: string) => {
    const answer = readAnswer(line);
    if (answer === undefined) return;
    sign.hear();
    if (answer.type === 'fact') facts.set(answer.name, answer.value);
    for (const listener of listeners) listener(answer);
  };
  let refuse = () => {};
  const tunnelRefused = new Promise<void>((resolve) => {
    refuse = resolve;
  });
  const overhear = (line: string) => {
    if (said.push(line) > linesKept) said.shift();
    if (line.includes('administratively prohibited')) refuse();
  };
  const process = spawn(connectCommand(host, agentCommand(settings)), { ownGroup: true, stdinPipe: true, stdout: hear, stderr: overhear });
  const ended = process.ended.then((end) => {
    gone.abort();
    for (const listener of listeners) listener(undefined);
    return end;
  });
  const next = nextOf(listeners, gone.signal);
  const ready = await loggedIn(process, next('ready'), clock, signal);
  if (ready === undefined) return connectFailure(host, host.configFile, lateEnd(await ended), said);
  void keepAlive(process, sign, gone.signal);
  return {
    folder: ready.folder,
    facts,
    next,
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    order: (text) => process.write(text),
    isLost: () => gone.signal.aborted,
    tunnelRefused,
    close: async () => {
      process.write('bye\n');
      const hangUp = clock.sleep(farewellMs, gone.signal).then(() => gone.signal.aborted || process.kill('SIGKILL'));
      await Promise.all([ended, hangUp]);
    },
  };
}

function nextOf(listeners: Set<Listener>, gone: AbortSignal): AgentLink['next'] {
  return <T extends Answer['type']>(type: T, runner?: string) =>
    new Promise<Extract<Answer, { type: T }> | undefined>((resolve) => {
      if (gone.aborted) return resolve(undefined);
      const listener: Listener = (answer) => {
        if (answer !== undefined && !isOf(answer, type, runner)) return;
        listeners.delete(listener);
        resolve(answer);
      };
      listeners.add(listener);
    });
}

function isOf<T extends Answer['type']>(answer: Answer, type: T, runner: string | undefined): answer is Extract<Answer, { type: T }> {
  return answer.type === type && (runner === undefined || ('runner' in answer && answer.runner === runner));
}

/** Waits for the agent, for as long as that makes sense; then its connection is ended. */
async function loggedIn<T>(process: Process, ready: Promise<T>, clock: Clock, signal: AbortSignal): Promise<T> {
  const done = new AbortController();
  const patience = clock.sleep(loginMs, AbortSignal.any([done.signal, signal]));
  void patience.then(() => done.signal.aborted || process.kill('SIGKILL'));
  return ready.finally(() => done.abort());
}

/** Whoever was killed here was too slow. */
function lateEnd(end: ProcessEnd): ProcessEnd {
  return end.signal === 'SIGKILL' ? { error: `no answer within ${loginMs / 1000} s` } : end;
}

/** Beats, and listens: a host that does not answer any more is cut off here, as its agent does there. */
async function keepAlive(process: Process, sign: LastSign, gone: AbortSignal): Promise<void> {
  sign.hear();
  while (!gone.aborted) {
    process.write('\n');
    await sign.tick(heartbeatMs, gone);
    if (sign.silentMs() > silentMs) process.kill('SIGKILL');
  }
}
