import { randomUUID } from 'node:crypto';
import { errorMessage, LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { BackendContext } from '../runner/types.js';
import { fedFrom, overSsh, type SshHost } from './commands.js';
import { type Asked, receiveFiles } from './receive.js';

const sendMs = 10 * 60_000;

/** Takes a file from stdin, and says its SHA-256 by whichever program is there. */
const receiveScript = [
  'cat >"$1" && chmod "$2" "$1" || exit 74',
  'if command -v sha256sum >/dev/null; then sha256sum <"$1"',
  'elif command -v shasum >/dev/null; then shasum -a 256 <"$1"',
  'else openssl dgst -sha256 -r <"$1"; fi',
].join('; ');

/** A path on this machine and one on a host. */
export interface Paths {
  readonly here: string;
  readonly there: string;
}

/** Copies a file to a host, with this mode; its SHA-256 (hex) as the host read it. Throws `unavailable`. */
export async function sendFile(host: SshHost, { here, there }: Paths, mode: string, { execute, signal }: BackendContext): Promise<string> {
  const receive = { file: 'sh', args: ['-c', receiveScript, 'loadctl', there, mode] };
  const said = await execute(fedFrom(here, overSsh(host, receive)), { timeoutMs: sendMs, signal });
  const sha256 = /\b[0-9a-f]{64}\b/.exec(said.stdout)?.[0];
  if (said.exitCode === 0 && sha256 !== undefined) return sha256;
  throw new LoadctlError('unavailable', `${here} could not be copied to ${there} on ${host.name}.`, {
    lines: said.stderr.split('\n').filter((line) => line !== ''),
    hint:
      said.exitCode === 127
        ? 'It needs one of sha256sum, shasum and openssl there.'
        : 'Look at the disk space of its temp folder and at the network.',
  });
}

/** After a line with a mark says of each file its size and its content, or `-`; a shell's `wc` may put spaces before a number. */
const sayScript = [
  'cd "$1" || exit 66',
  'printf "\\n%s\\n" "$2"',
  'shift 2',
  'for name do if [ -f "$name" ]; then size=$(($(wc -c <"$name"))); echo "$size"; head -c "$size" <"$name"; else echo -; fi; done',
].join('; ');

/** Files that are asked for, in this order, and how long that may take. */
export interface Wanted {
  readonly files: readonly Asked[];
  readonly limitMs: Milliseconds;
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
  const saying = spawn(overSsh(host, { file: 'sh', args: ['-c', sayScript, 'loadctl', there, mark, ...names] }), {
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
