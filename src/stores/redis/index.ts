import type { RedisStore } from '../../profile/schema.js';
import type { StoreKind } from '../types.js';
import { openCleaning } from './cleaning/cleaning.js';
import { openSeeding } from './seeding.js';

/** A Redis or Valkey: a single server, or a cluster. */
export const redis: StoreKind<RedisStore> = { transactional: false, openSeeding, openCleaning };
