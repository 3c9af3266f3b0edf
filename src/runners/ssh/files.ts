import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import { type BackendContext, runnerFiles } from '../runner/types.js';
import { fedFrom, overSsh, type SshHost } from './commands.js';

const sendMs = 10 * 60_000;
const bringMs = 60_000;

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

/** Says each file after a line with a boundary and its name, and the boundary with `.` at the end. */
const sayScript = [
  'cd "$1" || exit 66',
  `for name in ${Object.values(runnerFiles).join(' ')}`,
  'do if [ -f "$name" ]; then printf "\\n%s %s\\n" "$2" "$name"; cat "$name"; fi; done',
  'printf "\\n%s .\\n" "$2"',
].join('; ');

/** Brings what a runner wrote into its folder there; nothing where the host does not tell it all. */
export async function bringFiles(host: SshHost, { here, there }: Paths, { execute }: BackendContext): Promise<void> {
  const boundary = randomUUID();
  const say = overSsh(host, { file: 'sh', args: ['-c', sayScript, 'loadctl', there, boundary] });
  const { stdout } = await execute(say, { timeoutMs: bringMs });
  const [, ...parts] = stdout.split(`\n${boundary} `);
  if (!parts.pop()?.startsWith('.')) return;
  for (const part of parts) {
    const end = part.indexOf('\n');
    await writeFile(join(here, part.slice(0, end)), part.slice(end + 1), { mode: 0o600 });
  }
}
