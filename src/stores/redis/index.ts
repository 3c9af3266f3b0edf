import type { RedisStore } from '../../profile/sections/schema.js';
import type { StoreKind } from '../kind/types.js';
import { openCleaning } from './cleaning/cleaning.js';
import { reachStore } from './reach.js';
import { openSeeding } from './seeding/seeding.js';

/** A Redis or Valkey: a single server, or a cluster. */
export const redis: StoreKind<RedisStore> = { openSeeding, openCleaning, reach: reachStore };
