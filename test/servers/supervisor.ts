import { fileURLToPath } from 'node:url';
import type { Owner } from '../../examples/servers/keep.js';

const script = fileURLToPath(new URL('supervise.js', import.meta.url));

/** A command that runs another one as `owner`, and again when it ends while there is not a file `down` in `folder`; SIGINT ends both, the inner one by `signal`. */
export function supervised(folder: string, owner: Owner | undefined, signal: NodeJS.Signals, command: readonly string[]): string[] {
  return [process.execPath, script, folder, owner === undefined ? '' : `${owner.uid}:${owner.gid}`, signal, ...command];
}
