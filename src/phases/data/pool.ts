import { LoadctlError } from '../../core/errors.js';
import { own } from '../../core/own.js';
import { storeKind, storeTask } from '../../stores/index.js';
import { type DataContext, type Lock, takeLock } from './lock.js';
import { storeContext } from './store-context.js';

/** Takes the lock of a run, and says beforehand where the users that its script draws are not there. */
export async function lockForRun(context: DataContext): Promise<Lock> {
  const lock = await takeLock(context, 'run');
  try {
    await lookAtPool(context);
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Looks whether the first and the last user of the pool are there, in every shard: a script that draws others measures errors. */
async function lookAtPool(context: DataContext): Promise<void> {
  const { profile, world, emit, named = `--env ${profile.environment}` } = context;
  if (profile.users?.strategy !== 'pool') return;
  const { set: name } = profile.users.from;
  const set = own(profile.seed, name);
  const config = set === undefined ? undefined : own(profile.stores, set.store);
  if (set === undefined || !('table' in set) || config === undefined) return;
  const task = storeTask(profile, set.store, { now: world.clock.stamp() });
  const wanted = { set: { ...set, name }, which: 'ends' } as const;
  try {
    const samples = await (await storeKind(config)).sampleRows?.(config, task, wanted, storeContext(context, set.store, 'loadctl/run'));
    const missing = samples?.find(({ there }) => !there);
    if (missing === undefined) return;
    const { store, shard, row } = missing;
    emit({ type: 'warned', code: 'pool-missing', place: { store, shard }, row, command: `loadctl seed ${named}` });
  } catch (error) {
    if (!(error instanceof LoadctlError) || error.reason === 'interrupted') throw error;
    emit({ type: 'warned', code: 'pool-unknown', set: name, why: error.message });
  }
}
