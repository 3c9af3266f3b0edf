import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendContext, RunnerFiles } from '../runner/types.js';
import { runnerFiles } from '../runner/types.js';
import { overSsh } from './commands.js';
import type { HostSession } from './host-session.js';

const collectMs = 60_000;

/** Says each file after a line with a boundary and its name, and the boundary with `.` at the end. */
const sayScript = [
  'cd "$1" || exit 66',
  `for name in ${Object.values(runnerFiles).join(' ')}`,
  'do if [ -f "$name" ]; then printf "\\n%s %s\\n" "$2" "$name"; cat "$name"; fi; done',
  'printf "\\n%s .\\n" "$2"',
].join('; ');

/** Brings what a runner wrote on its host into its folder here; nothing where the host is lost or does not tell it all. */
export async function collectFrom(
  { host, link, gate }: HostSession,
  id: string,
  folder: string,
  { execute }: BackendContext,
): Promise<RunnerFiles> {
  const boundary = randomUUID();
  const say = overSsh(host, { file: 'sh', args: ['-c', sayScript, 'loadctl', `${link.folder}/${id}`, boundary] });
  const said = link.isLost() ? undefined : await gate(() => execute(say, { timeoutMs: collectMs }));
  const files = filesIn(said?.stdout ?? '', boundary);
  for (const [name, text] of files) await writeFile(join(folder, name), text, { mode: 0o600 });
  return {
    summary: files.get(runnerFiles.summary),
    facts: files.get(runnerFiles.facts),
    log: files.get(runnerFiles.log) ?? '',
    folder,
  };
}

function filesIn(said: string, boundary: string): Map<string, string> {
  const [, ...parts] = said.split(`\n${boundary} `);
  if (!parts.pop()?.startsWith('.')) return new Map();
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]));
}
