import { errorMessage } from '../../core/errors.js';
import type { World } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Profile } from '../../profile/sections/schema.js';
import { isIdle, type StoreConfig, storeKind, storeTask } from '../../stores/index.js';
import type { Intent } from '../../stores/kind/types.js';
import { storeContext } from './store-context.js';

/** Whoever has to confirm does not wait longer than this. */
const patienceMs: Milliseconds = 5000;

/** What the databases would do by themselves with what a command puts in or takes out. */
export interface Preview {
  /** In words; also what could not be looked up, and why. */
  readonly lines: readonly string[];
  /** The stores that were asked. */
  readonly asked: readonly string[];
}

/** What a preview needs to know. */
interface PreviewContext {
  readonly profile: Pick<Profile, 'environment' | 'stores' | 'seed' | 'cleanup' | 'guards'>;
  readonly world: Pick<World, 'clock'>;
  readonly signal: AbortSignal;
}

/** Asks every store that can tell. Only looks, for a few seconds, and never rejects. */
export async function previewStores(context: PreviewContext, intent: Intent): Promise<Preview> {
  const { profile, world } = context;
  const look = async ([store, config]: [string, StoreConfig]) => {
    const task = storeTask(profile, store, { now: world.clock.stamp() });
    const tables = intent.seeds || intent.seeded ? task.tables : [];
    const done = { tables, entries: [], former: [], rows: intent.cleans ? task.rows : [], keys: [] };
    const { preview } = await storeKind(config);
    return preview === undefined || isIdle(done) ? undefined : { store, lines: await previewStore(store, config, intent, context) };
  };
  const looks = await Promise.all(Object.entries(profile.stores).map(look));
  const told = looks.filter((one) => one !== undefined);
  return { lines: told.flatMap(({ lines }) => lines), asked: told.map(({ store }) => store) };
}

async function previewStore(store: string, config: StoreConfig, intent: Intent, context: PreviewContext): Promise<readonly string[]> {
  const { profile, world, signal } = context;
  const over = new AbortController();
  const late = world.clock.sleep(patienceMs, AbortSignal.any([signal, over.signal])).then((): never => {
    throw new Error(`no answer within ${patienceMs / 1000} s`);
  });
  const phase = { profile, emit: () => undefined, world, signal: AbortSignal.any([signal, over.signal]) };
  const means = storeContext(phase, store, 'loadctl/preview');
  try {
    const asked = (await storeKind(config)).preview?.(config, storeTask(profile, store, { now: world.clock.stamp() }), intent, means) ?? [];
    return await Promise.race([asked, late]);
  } catch (error) {
    return [`${store}: triggers and cascades could not be determined: ${errorMessage(error)}`];
  } finally {
    over.abort();
    late.catch(() => {});
  }
}
