import type { PostgresStore } from '../../profile/sections/schema.js';
import type { StoreKind } from '../kind/types.js';
import { openCleaning } from './cleaning/cleaning.js';
import { lockStore } from './lock/lock.js';
import { previewStore } from './preview.js';
import { reachStore } from './reach.js';
import { sampleRows } from './rows/samples.js';
import { openSeeding } from './seeding/seeding.js';

/** PostgreSQL, one database or several shards. */
export const postgres: StoreKind<PostgresStore> = {
  openSeeding,
  openCleaning,
  reach: reachStore,
  preview: previewStore,
  lock: lockStore,
  sampleRows,
};
