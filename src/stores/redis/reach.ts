import type { RedisStore } from '../../profile/sections/schema.js';
import type { StoreContext } from '../kind/types.js';
import { seedIndex } from './connection/login.js';
import { openServers } from './servers/open.js';

/** Logs in to the servers of the store once, and says who answers. */
export async function reachStore(config: RedisStore, context: StoreContext): Promise<readonly string[]> {
  const servers = await openServers(config, config.cluster === undefined ? seedIndex(context.store, config) : 0, context);
  try {
    const answered = await servers.everywhere(async (node) => node.ask('PING'));
    return [...answered.keys()].map((name) => `Redis at ${name}${servers.isCluster ? '' : `, index ${servers.index}`}`);
  } finally {
    servers.close();
  }
}
