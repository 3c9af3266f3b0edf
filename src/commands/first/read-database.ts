import type { World } from '../../core/os.js';
import type { PostgresStore } from '../../profile/sections/schema.js';
import type { StoreContext } from '../../stores/kind/types.js';
import { readOutline } from '../../stores/postgres/outline/read-outline.js';
import { tryValues } from '../../stores/postgres/outline/try-values.js';
import type { Asker } from './asker.js';
import { type Proposal, propose, usualTables } from './propose.js';

/** Reads the catalog of a database where that is allowed, and proposes what goes in and out; undefined where it is not. */
export async function readDatabase(
  asker: Pick<Asker, 'mayRead' | 'tables'>,
  url: string,
  { clock, signal }: Pick<World, 'clock'> & { readonly signal: AbortSignal },
): Promise<Proposal | undefined> {
  const { host, pathname } = new URL(url);
  if (!(await asker.mayRead(`${decodeURIComponent(pathname.slice(1)) || 'the database'} at ${host}`))) return undefined;
  const config: PostgresStore = { kind: 'postgres', url };
  const context: StoreContext = { store: 'db', label: 'loadctl/init', emit: () => {}, clock, signal, allowsHost: () => true };
  const outline = await readOutline(config, context);
  const wanted = await asker.tables(outline, usualTables(outline));
  return tryValues(config, context, (fits) => propose(outline, wanted, fits, new Date(clock.stamp()).toISOString().slice(0, 10)));
}
