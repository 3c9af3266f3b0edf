import type { RedisStore } from '../../../profile/sections/schema.js';
import type { StoreContext } from '../../kind/types.js';
import type { Servers } from '../connection/servers.js';
import { openServers } from './open.js';

/** Connections to the indexes of a store, each made when it is first needed. */
export interface Indexes {
  connect(index: number): Promise<Servers>;
  /** Who holds the keys of all that are open: see {@link Servers.holders}. */
  holders(): Promise<string>;
  close(): void;
}

/** No connection yet: {@link Indexes}. */
export function openIndexes(config: RedisStore, context: StoreContext): Indexes {
  const open = new Map<number, Servers>();
  return {
    async connect(index) {
      const servers = open.get(index) ?? (await openServers(config, index, context));
      open.set(index, servers);
      return servers;
    },
    async holders() {
      const names = [];
      for (const servers of open.values()) names.push(await servers.holders());
      return names.join();
    },
    close() {
      for (const servers of open.values()) servers.close();
    },
  };
}
