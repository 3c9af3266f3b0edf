import { resolveK6 } from '../../dist/k6/binary/index.js';
import { openWorld } from '../../dist/world.js';

/** The path of the k6 that loadctl itself would use here. */
export async function k6Path() {
  return (await resolveK6(openWorld(), { progress: console.error })).path;
}
