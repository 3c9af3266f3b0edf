import type { RedisStore } from '../../../profile/sections/schema.js';
import type { StoreContext } from '../../kind/types.js';
import { openCluster } from '../cluster/cluster.js';
import { roomFirst } from '../connection/room.js';
import type { Servers } from '../connection/servers.js';
import { openSingle } from './single.js';

/** Connects to one index of a store's Redis, or throws with the fix. A cluster has no index but 0. */
export function openServers(config: RedisStore, index: number, context: StoreContext): Promise<Servers> {
  const firstLook = roomFirst(context.store, context.isAheadOfSeed ?? (() => false));
  return config.cluster === undefined ? openSingle(config, index, { ...context, firstLook }) : openCluster(config, context, { firstLook });
}
