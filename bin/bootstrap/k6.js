import { homedir } from 'node:os';
import { execute, interrupted } from './shell.js';

/** Finds or fetches k6 as loadctl itself does: the build comes first. */
export async function k6(_status, note) {
  const { resolveK6 } = await import(new URL('../../dist/k6/binary/index.js', import.meta.url).href);
  const surroundings = { env: process.env, home: homedir(), cwd: process.cwd(), execute };
  const found = await resolveK6(surroundings, { progress: note, signal: interrupted.signal });
  return `v${found.version}, ${found.path}: ${found.why}`;
}
