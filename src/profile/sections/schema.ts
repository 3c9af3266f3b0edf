import { z } from 'zod';
import { text } from '../words/words.js';
import { cleanup } from './cleanup.js';
import { guards } from './guards.js';
import { monitors } from './monitors.js';
import { outputs } from './outputs.js';
import { runners } from './runners.js';
import { seed } from './seed.js';
import { abort, critical, sla } from './sla.js';
import { stores } from './stores.js';
import { target } from './target.js';
import { users } from './users.js';
import { workload } from './workload.js';

const environment = text('a name of small letters, digits and `-`')
  .regex(/^[a-z0-9-]+$/, { error: 'expected a name of small letters, digits and `-`' })
  .meta({ description: 'What this environment is called; the file’s name where it is missing.', examples: ['staging'] });

/** A checked profile: people's words in, plain numbers out. The one source of types, JSON Schema and reference page. */
export const profileSchema = z.strictObject({
  environment,
  target,
  workload,
  users: users.exactOptional(),
  stores,
  seed,
  cleanup: cleanup.exactOptional(),
  runners,
  sla,
  critical,
  abort,
  monitors,
  outputs,
  guards,
});

/** A checked profile, complete: what `extends`, variables, `--set` and defaults made of it. */
export type Profile = z.output<typeof profileSchema>;
/** One store of a profile. */
export type Store = Profile['stores'][string];
export type PostgresStore = Extract<Store, { kind: 'postgres' }>;
export type RedisStore = Extract<Store, { kind: 'redis' }>;
type Cleanup = NonNullable<Profile['cleanup']>;
export type CleanupRows = Cleanup['rows'][number];
export type CleanupKeys = Cleanup['keys'][number];
export type { MonitorConfig } from './monitors.js';
export type { OutputConfig } from './outputs.js';
export type { SeedEntries, SeedStep, SeedTable, SeedValue } from './seed.js';
