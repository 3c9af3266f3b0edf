import { LoadctlError } from '../../core/errors.js';
import type { BackendContext } from '../runner/types.js';
import { fedFrom, overSsh, type SshHost } from './commands.js';

const sendMs = 10 * 60_000;

/** Takes a file from stdin, and says its SHA-256 by whichever program is there. */
const receiveScript = [
  'cat >"$1" && chmod "$2" "$1" || exit 74',
  'if command -v sha256sum >/dev/null; then sha256sum <"$1"',
  'elif command -v shasum >/dev/null; then shasum -a 256 <"$1"',
  'else openssl dgst -sha256 -r <"$1"; fi',
].join('; ');

/** Copies a file of this machine to a path on the host; its SHA-256 (hex) as the host read it. Throws `unavailable`. */
export async function sendFile(
  host: SshHost,
  file: string,
  path: string,
  { execute, signal }: BackendContext,
  mode = '600',
): Promise<string> {
  const receive = { file: 'sh', args: ['-c', receiveScript, 'loadctl', path, mode] };
  const said = await execute(fedFrom(file, overSsh(host, receive)), { timeoutMs: sendMs, signal });
  const sha256 = /\b[0-9a-f]{64}\b/.exec(said.stdout)?.[0];
  if (said.exitCode === 0 && sha256 !== undefined) return sha256;
  const lines = said.stderr.split('\n').filter((line) => line !== '');
  throw new LoadctlError('unavailable', `${file} could not be copied to ${path} on ${host.name}.`, {
    lines,
    hint:
      said.exitCode === 127
        ? 'It needs one of sha256sum, shasum and openssl there.'
        : 'Look at the disk space of its temp folder and at the network.',
  });
}
