import type { PostgresStore } from '../../profile/sections/schema.js';
import type { StoreKind } from '../kind/types.js';
import { openCleaning } from './cleaning.js';
import { lockStore } from './lock.js';
import { previewStore } from './preview.js';
import { sampleRows } from './samples.js';
import { openSeeding } from './seeding.js';

/** PostgreSQL, one database or several shards. */
export const postgres: StoreKind<PostgresStore> = {
  transactional: true,
  openSeeding,
  openCleaning,
  preview: previewStore,
  lock: lockStore,
  sampleRows,
};
