import { LoadctlError } from '../../core/errors.js';
import { own } from '../../core/own.js';
import type { SeedTable } from '../../profile/sections/schema.js';
import { pieceReader, render } from '../../profile/templates/pieces.js';
import { inOrder, type NamedSet } from '../../profile/templates/sets.js';
import { storeKind, storeTask } from '../../stores/index.js';
import type { Question } from '../target/ask-target.js';
import type { DataContext } from './lock.js';
import { storeContext } from './store-context.js';

/**
 * Finds a seeded row of every shard, each with the request that the profile describes for it. Throws `invalid-profile`
 * where there is nothing to ask with, or for.
 */
export async function rowsToAskFor(context: DataContext): Promise<Question[]> {
  const { profile, world } = context;
  const { lookup } = profile.target;
  if (lookup === undefined) throw nothingToAsk('does not say how to ask the target for a seeded row');
  const set = setToAskFor(context);
  const config = own(profile.stores, set.store);
  if (config === undefined) throw nothingToAsk('has no store for its seed');
  const task = storeTask(profile, set.store, { now: world.clock.stamp() });
  const kind = await storeKind(config);
  const samples =
    (await kind.sampleRows?.(config, task, { set, which: 'first' }, storeContext(context, set.store, 'loadctl/doctor'))) ?? [];
  const reader = pieceReader(task.source(set));
  const template = reader.text(lookup.path, 'path');
  // A value may hold what an address reads otherwise: `a/b`, `#1`. What the profile writes is an address already.
  const pathOf = (n: number) =>
    template.map((piece) => (typeof piece === 'string' ? piece : encodeURIComponent(render([piece], n)))).join('');
  const headers = Object.entries(lookup.headers).map(([name, value]) => [name, reader.text(value, name)] as const);
  return samples.map((sample) => ({
    sample,
    path: pathOf(sample.n),
    headers: Object.fromEntries(headers.map(([name, pieces]) => [name, render(pieces, sample.n)])),
    status: lookup.status,
  }));
}

/** The set that `lookup` names, or else the first one that is seeded into shards, or into a database at all. */
function setToAskFor({ profile }: DataContext): NamedSet<SeedTable> {
  const sets = inOrder(profile.seed).flatMap((set) => ('table' in set ? [set] : []));
  const isSharded = ({ store }: SeedTable) => {
    const config = own(profile.stores, store);
    return config?.kind === 'postgres' && config.shards !== undefined;
  };
  const named = profile.target.lookup?.set;
  const set = named === undefined ? (sets.find(isSharded) ?? sets[0]) : sets.find(({ name }) => name === named);
  if (set !== undefined) return set;
  throw nothingToAsk(named === undefined ? 'seeds no table' : `has no set ${named}`);
}

function nothingToAsk(what: string): LoadctlError {
  return new LoadctlError('invalid-profile', `The profile ${what}: cannot ask the target for one.`, {
    hint: 'Add to the profile: target: {lookup: {path: "/users/user-{n}"}}, for rows that `seed` inserts into a table.',
  });
}
