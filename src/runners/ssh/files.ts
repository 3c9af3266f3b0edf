import { randomUUID } from 'node:crypto';
import { errorMessage, LoadctlError } from '../../core/errors.js';
import { receiveFiles } from '../agent/receive.js';
import { receiveCommand, sayCommand, sha256In, type Wanted } from '../agent/transfer.js';
import type { BackendContext } from '../runner/types.js';
import { fedFrom, overSsh, type SshHost } from './commands.js';

const sendMs = 10 * 60_000;

/** A path on this machine and one on a host. */
export interface Paths {
  readonly here: string;
  readonly there: string;
}

/** Copies a file to a host, with this mode; its SHA-256 (hex) as the host read it. Throws `unavailable`. */
export async function sendFile(host: SshHost, { here, there }: Paths, mode: string, { execute, signal }: BackendContext): Promise<string> {
  const said = await execute(fedFrom(here, overSsh(host, receiveCommand(there, mode))), { timeoutMs: sendMs, signal });
  const sha256 = sha256In(said.stdout);
  if (said.exitCode === 0 && sha256 !== undefined) return sha256;
  throw new LoadctlError('unavailable', `${here} could not be copied to ${there} on ${host.name}.`, {
    lines: said.stderr.split('\n').filter((line) => line !== ''),
    hint:
      said.exitCode === 127
        ? 'It needs one of sha256sum, shasum and openssl there.'
        : 'Look at the disk space of its temp folder and at the network.',
  });
}

/** Brings files of a runner's folder there into one here. Resolves with what kept them from coming; never rejects. */
export async function bringFiles(
  host: SshHost,
  { here, there }: Paths,
  { files, limitMs }: Wanted,
  { spawn, clock }: BackendContext,
): Promise<readonly string[]> {
  const mark = randomUUID();
  const receiver = receiveFiles(mark, files, here);
  const names = files.map(({ name }) => name);
  const failed: string[] = [];
  const take = (piece: Buffer) => {
    try {
      if (receiver.take(piece)) return;
    } catch (error) {
      if (failed.length === 0) failed.push(errorMessage(error));
    }
    saying.kill('SIGKILL');
  };
  const saying = spawn(overSsh(host, sayCommand(there, mark, files)), {
    stdout: { bytes: take },
    ownGroup: true,
  });
  const over = new AbortController();
  void clock.sleep(limitMs, over.signal).then(() => over.signal.aborted || saying.kill('SIGKILL'));
  await saying.ended;
  over.abort();
  const received = receiver.end();
  return 'problem' in received ? [...failed, `${host.name} ${received.problem} (asked: ${names.join(', ')})`] : failed;
}
