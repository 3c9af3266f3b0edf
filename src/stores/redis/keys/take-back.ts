import { throwIfAborted } from '../../../core/abort.js';
import { errorMessage } from '../../../core/errors.js';
import type { StoreContext, StoreTask } from '../../kind/types.js';
import { type Servers, valueIn } from '../connection/servers.js';
import { unlinkAsFound } from './commands.js';
import { type Entries, entryBatches } from './entries.js';
import { type Ranges, ranges } from './ranges.js';
import { type Compared, compare } from './values.js';

const mostPasses = 10;

type Taking = Pick<StoreContext, 'emit' | 'store' | 'signal'> & Pick<StoreTask, 'named'>;

/**
 * Takes back entries that were written by us, where nobody changed them; over again, as a failover may bring one back. Hands back
 * those that may be there still.
 */
export async function takeBack(servers: Servers, entries: Entries, created: Ranges, context: Taking): Promise<Ranges> {
  const { emit, store, named } = context;
  const back = ranges();
  try {
    for (let pass = 1; pass <= mostPasses; pass++) {
      const gone = await unlinkAll(servers, entries, { created, context, done: (n) => void (pass === 1 && back.add(n)) });
      if (gone === 0) break;
      await servers.replicate();
    }
    return ranges();
  } catch (error) {
    const place = { store, shard: null };
    emit({
      type: 'warned',
      code: 'seed-not-taken-back',
      place,
      what: entries.set.key,
      why: errorMessage(error),
      command: `loadctl cleanup ${named} --seeded`,
    });
    return without(created, back);
  }
}

interface Unlinking {
  readonly created: Ranges;
  readonly context: Pick<StoreContext, 'signal'>;
  /** Is told each entry that was looked at. */
  done(n: number): void;
}

async function unlinkAll(servers: Servers, entries: Entries, { created, context, done }: Unlinking): Promise<number> {
  let gone = 0;
  for (const range of created) {
    for (const batch of entryBatches(entries, servers.width(), range)) {
      throwIfAborted(context.signal);
      const equal = (await compare(servers, batch)).filter(({ state }) => state === 'equal');
      gone += (await unlinkFound(servers, equal)).length;
      for (const { n } of batch) done(n);
    }
  }
  return gone;
}

function without(all: Ranges, some: Ranges): Ranges {
  const rest = ranges();
  for (const [from, to] of all) for (let n = from; n <= to; n++) if (!some.has(n)) rest.add(n);
  return rest;
}

/** Deletes those of the entries that still hold what was found there; hands them back. */
export async function unlinkFound(servers: Servers, found: readonly Compared[]): Promise<Compared[]> {
  const answers = await servers.run(found.map(({ entry, stored = [] }) => unlinkAsFound(entry, stored)));
  return found.filter((_, index) => valueIn(servers, answers[index]) === 1);
}
