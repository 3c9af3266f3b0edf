import { resolveK6 } from '../src/k6/binary/index.js';
import { openWorld } from '../src/world.js';

/** Finds the k6 of the process and live tests once, as loadctl does, and names it to all of them. */
export default async function setup(): Promise<void> {
  const found = await resolveK6(openWorld(), { progress: (line) => console.log(line) });
  process.env.LOADCTL_K6 = found.path;
}
