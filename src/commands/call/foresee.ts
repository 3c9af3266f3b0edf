import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import { makeRunId, type RunId } from '../../core/ids.js';
import { findK6 } from '../../k6/binary/index.js';
import { inspectTest, type KnownTest } from '../../phases/run/inspect-test.js';
import { withSecrets } from '../../plan/access.js';
import { type Foreseen, foreseenLoad, type Unforeseen } from '../../plan/inspection.js';
import { type LoadTarget, loadTarget } from '../../plan/target.js';
import { k6Of } from './k6.js';
import type { Planned } from './profile.js';
import type { Call } from './types.js';

/** Looks at the script as far as that is possible here: nothing is fetched or built for it, and no secrets are needed. */
export async function foresee(call: Call, planned: Planned): Promise<Foreseen> {
  const { env, home, cwd, execute, clock } = call.shell;
  const stop = new AbortController();
  const stopListening = call.shell.onInterrupt(() => stop.abort());
  try {
    const found = await findK6({ env: withOwnK6(env, planned), home, cwd, execute, clock });
    if (found === undefined) return { because: 'k6 is not installed yet; loadctl run gets it', fetched: [] };
    const facts = { run: makeRunId(clock.stamp()), targetUrl: loadTarget(withSecrets(planned.plan, planned.access)).url };
    const inspected = await inspectTest({ ...planned, world: call.shell, signal: stop.signal }, found, facts);
    if (inspected.found instanceof LoadctlError) return { ...unknown(inspected.found, planned), fetched: inspected.fetched };
    return { inspection: inspected.found, load: foreseenLoad(inspected.found), fetched: inspected.fetched };
  } catch (error) {
    if (!(error instanceof LoadctlError) || error.reason === 'interrupted') throw error;
    return { ...unknown(error, planned), fetched: [] };
  } finally {
    stopListening();
  }
}

/** A variable that is missing here may be there when it runs, and so may a k6. */
function unknown(error: LoadctlError, { loaded }: Planned): Unforeseen {
  const missing = loaded.variables.filter(({ from }) => from === 'missing').map(({ name }) => name);
  if (missing.length > 0) return { because: `${error.message} (not set: ${missing.join(', ')})` };
  return error.reason === 'unavailable' ? { because: error.message } : { because: error.message, error };
}

/** The same for a run, which gets a k6 where none is here. Throws what stands against the run. */
export async function knowTest(
  call: Call,
  planned: Planned,
  target: LoadTarget,
  { emit, signal, run = makeRunId(call.shell.clock.stamp()) }: { readonly emit: Emit; readonly signal: AbortSignal; readonly run?: RunId },
): Promise<KnownTest> {
  const { access } = planned;
  const world = call.shell;
  const k6 = await k6Of({ access, world, emit, signal });
  const { found } = await inspectTest({ ...planned, world, signal, emit }, k6, { run, targetUrl: target.url });
  if (found instanceof LoadctlError) throw found;
  return { run, k6, inspection: found };
}

function withOwnK6(env: Call['shell']['env'], { access }: Planned): Call['shell']['env'] {
  const { k6 } = access.machine;
  return k6 === undefined ? env : { ...env, LOADCTL_K6: k6 };
}
