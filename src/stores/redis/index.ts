import type { RedisStore } from '../../profile/schema.js';
import type { StoreKind } from '../types.js';
import { openCleaning } from './cleaning.js';
import { openSeeding } from './seeding.js';

/** A single Redis or Valkey. */
export const redis: StoreKind<RedisStore> = { transactional: false, openSeeding, openCleaning };
