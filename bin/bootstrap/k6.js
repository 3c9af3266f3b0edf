import { homedir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { execute, interrupted } from './shell.js';

const clock = { sleep: (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}) };

/** Finds or fetches k6 as loadctl itself does: the build comes first. */
export async function k6(status, note) {
  const { resolveK6 } = await import(new URL('../../dist/k6/binary/index.js', import.meta.url).href);
  const surroundings = { env: process.env, home: homedir(), cwd: process.cwd(), execute, clock };
  const begun = performance.now();
  const signOfLife = setInterval(() => status(`${Math.round((performance.now() - begun) / 1000)} s`), 1000);
  const found = await resolveK6(surroundings, { progress: note, signal: interrupted.signal }).finally(() => clearInterval(signOfLife));
  return `v${found.version}, ${found.path}: ${found.why}`;
}
