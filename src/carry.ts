import { readFileSync } from 'node:fs';
import { carry } from './runners/kubernetes/carrier/carry.js';
import { openWorld } from './world.js';

/** The carrier of a runner's pod, as `loadctl carry`: a process of its own that loads nothing else of loadctl. */
export async function main(): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const { env, clock, onInterrupt, leave } = openWorld();
  await leave(await carry({ env, clock, onInterrupt, version }));
}
