import { randomBytes } from 'node:crypto';
import { LoadctlError } from '../../core/errors.js';
import type { Gate } from '../../core/gate.js';
import { openAgent } from '../agent/link.js';
import { agentCommand } from '../agent/script.js';
import type { Host } from '../agent/start-runner.js';
import type { BackendContext } from '../runner/types.js';
import { connectCommand, type SshHost } from './commands.js';
import { type ConnectFailure, connectFailure, tunnelRefused } from './failures.js';

const attempts = 5;
const firstPauseMs = 250;
const linesKept = 50;

/** The one session with a host's agent, on the connection that all else shares; barred where its sshd lets no tunnel through. */
export type Connection = Required<Pick<Host, 'agent' | 'barred'>>;

/** Opens the connection to a host, and starts its agent there; tries again what may pass by itself. Throws `unavailable`. */
export async function connect(host: SshHost, gate: Gate, context: BackendContext): Promise<Connection> {
  const { clock, signal } = context;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await gate(() => openConnection(host, context));
    if ('agent' in outcome) return outcome;
    if (signal.aborted) throw new LoadctlError('interrupted', `The run was interrupted on the way to ${host.name}.`);
    if (!outcome.passing || attempt === attempts) throw outcome.error;
    await clock.sleep(firstPauseMs * 2 ** attempt * (0.5 + Math.random()), signal);
  }
}

async function openConnection(host: SshHost, context: BackendContext): Promise<Connection | ConnectFailure> {
  const said: string[] = [];
  let bar = () => {};
  const barred = new Promise<never>((_, reject) => {
    bar = () => reject(tunnelRefused(host.name));
  });
  barred.catch(() => {}); // reported to whoever waits for a runner then
  const stderr = (line: string) => {
    if (said.push(line) > linesKept) said.shift();
    if (line.includes('administratively prohibited')) bar();
  };
  const { profile, spawn } = context;
  const command = connectCommand(host, agentCommand(randomBytes(8).toString('hex'), profile.keep));
  const agent = await openAgent((stdout) => spawn(command, { ownGroup: true, stdinPipe: true, stdout, stderr }), context);
  return 'folder' in agent ? { agent, barred } : connectFailure(host, host.configFile, agent, said);
}
