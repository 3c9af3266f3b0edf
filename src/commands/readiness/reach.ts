import { errorMessage, LoadctlError } from '../../core/errors.js';
import { storeContext } from '../../phases/data/store-context.js';
import { requireTarget } from '../../phases/target/health-probe.js';
import { withSecrets } from '../../plan/access.js';
import { loadTarget } from '../../plan/target.js';
import type { Profile } from '../../profile/sections/schema.js';
import type { Finding } from '../../reporters/doctor-table.js';
import { resultText } from '../../reporters/sentences/work.js';
import { storeKind } from '../../stores/index.js';
import type { Planned } from '../call/profile.js';
import type { Call } from '../call/types.js';

/** Why nothing is connected to, and what would change that. */
export interface Unasked {
  readonly why: string;
  readonly more: string;
}

/** Target and stores, each asked once; or, with a reason, not. */
export async function lookAtServers(call: Call, planned: Planned, unasked: Unasked | undefined): Promise<Finding[]> {
  const stop = new AbortController();
  const stopListening = call.shell.onInterrupt(() => stop.abort());
  try {
    const stores = Object.entries(planned.loaded.profile.stores);
    const asked = stores.map(([name, config]) => lookAtStore(call, planned, { name, config, unasked, signal: stop.signal }));
    const findings = await Promise.all([lookAtTarget(call, planned, unasked, stop.signal), ...asked]);
    if (stop.signal.aborted) throw new LoadctlError('interrupted', 'Interrupted while loadctl looked.');
    return findings;
  } finally {
    stopListening();
  }
}

async function lookAtTarget({ shell }: Call, planned: Planned, unasked: Unasked | undefined, signal: AbortSignal): Promise<Finding> {
  const what = 'target';
  const { target } = withSecrets(planned.plan, planned.access);
  if ('live' in target)
    return { what, state: 'unknown', said: 'which colour is live is looked up when a run begins', more: 'See docs/guards.md' };
  const at = loadTarget(withSecrets(planned.plan, planned.access));
  if (unasked !== undefined) return { what, state: 'unknown', said: `${at.url}: ${unasked.why}`, more: unasked.more };
  try {
    const answer = await requireTarget(at, { userAgent: 'loadctl/doctor', clock: shell.clock, signal });
    return { what, state: 'good', said: `${at.url}: ${resultText(answer)}` };
  } catch (error) {
    return failed(what, error, signal);
  }
}

/** What keeps a run from going on. Throws what is no answer of a server. */
function failed(what: string, error: unknown, signal: AbortSignal): Finding {
  if (signal.aborted || !(error instanceof LoadctlError)) throw error;
  return { what, state: 'missing', said: errorMessage(error), ...(error.hint === undefined ? {} : { more: error.hint }) };
}

interface AskedStore {
  readonly name: string;
  readonly config: Profile['stores'][string];
  readonly unasked: Unasked | undefined;
  readonly signal: AbortSignal;
}

async function lookAtStore({ shell: world }: Call, planned: Planned, { name, config, unasked, signal }: AskedStore): Promise<Finding> {
  const what = `store ${name}`;
  const { profile } = planned.loaded;
  if (unasked !== undefined) {
    const hosts = planned.plan.stores.find((store) => store.name === name)?.hosts ?? [];
    return { what, state: 'unknown', said: `${hosts.join(', ')}: ${unasked.why}`, more: unasked.more };
  }
  try {
    const context = storeContext({ profile, emit: () => {}, world, signal }, name, 'loadctl/doctor');
    return { what, state: 'good', said: (await (await storeKind(config)).reach(config, context)).join('; ') };
  } catch (error) {
    return failed(what, error, signal);
  }
}
