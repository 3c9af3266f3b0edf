import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { ChangedSeed, ReceiptLine } from '../../../core/receipt.js';
import { inverseOf, isUnmistakable, rowOf } from '../../../profile/templates/inverse.js';
import { type Pieces, render } from '../../../profile/templates/pieces.js';
import { type FormerSet, type StoreTask, unrecorded } from '../../kind/types.js';
import { type Servers, valueIn } from '../connection/servers.js';
import { unlinkAsFound } from '../keys/commands.js';
import { type Entries, entriesOf, entryBatches, keyPieces } from '../keys/entries.js';
import { unlinkFound } from '../keys/take-back.js';
import { type Compared, compare } from '../keys/values.js';
import { type Job, whereText } from './job.js';
import { type Counts, type Tally, tally, total } from './tally.js';

/** Seeded entries of one set that were taken out, and all that are there still. */
export interface TakenSeeded extends Pick<Job, 'servers' | 'what' | 'which' | 'statement'> {
  readonly deleted: Tally;
  readonly left: Counts;
  readonly ms: Milliseconds;
  readonly lines: readonly ReceiptLine[];
}

/** What makes seeded entries certain. */
export const howToBeCertain = 'give the set a key with {n} or {uuid}';

/** How seeded entries are taken out. */
export interface Taking {
  readonly task: StoreTask;
  readonly dryRun: boolean;
  readonly clock: Clock;
  /** What an earlier pass took out, to be added to. */
  readonly before?: Tally;
}

const mostPasses = 10;

/** Takes out a set's entries where they are as they were seeded; over again while some are, as a failover brings them back. */
export async function takeSeeded(servers: Servers, entries: Entries, { task, dryRun, clock, before }: Taking): Promise<TakenSeeded> {
  const startedAt = clock.elapsed();
  const deleted = before ?? tally();
  const doubt = doubtOf(entries, task);
  let there = await countSeeded(servers, entries);
  for (let pass = 1; !dryRun && doubt === undefined && total(there.equal) > 0 && pass <= mostPasses; pass++) {
    for (const batch of entryBatches(entries, servers.width())) {
      const equal = (await compare(servers, batch)).filter(({ state }) => state === 'equal');
      for (const { node } of await unlinkFound(servers, equal)) deleted.add(node, 1);
    }
    await servers.replicate();
    there = await countSeeded(servers, entries);
  }
  const ms = dryRun ? 0 : Math.round(clock.elapsed() - startedAt);
  const which = `seeded: ${entries.set.name} (${entries.set.key})`;
  const left = dryRun && doubt === undefined ? there.equal : there.all;
  const lines = linesOf(servers, entries, task, { ...there, doubt, dryRun });
  return { servers, what: 'keys', which, statement: `${whereText(servers)}UNLINK ${which}`, deleted, left, ms, lines };
}

/** Why a set's entries have to stay, whoever's they are. */
function doubtOf({ set }: Entries, task: StoreTask): Doubt | undefined {
  const pieces = keyPieces(set, task.source(set));
  if (inverseOf(pieces, set.rows) === undefined)
    return {
      why: 'its key holds neither {n} nor {uuid}, so it cannot be distinguished from a key of others',
      command: `${howToBeCertain}; or remove it yourself`,
    };
  const why = isUnmistakable(pieces, set.rows) ? undefined : unrecorded(task, set, ['key']);
  return why === undefined ? undefined : { why, command: 'clean up where the set was seeded, or remove them yourself' };
}

interface Doubt {
  readonly why: string;
  readonly command: string;
}

interface There {
  readonly equal: Counts;
  /** Whatever they hold. */
  readonly all: Counts;
  readonly changed: number;
}

function linesOf(
  servers: Servers,
  { set }: Entries,
  { named }: StoreTask,
  there: There & { doubt: Doubt | undefined; dryRun: boolean },
): ReceiptLine[] {
  const line = (count: number, why: string, command?: string): ReceiptLine => ({
    kind: 'left',
    store: servers.store,
    shard: null,
    what: setName(servers, set),
    count,
    why,
    ...(command === undefined ? {} : { command }),
  });
  const { doubt, changed, equal, all, dryRun } = there;
  if (doubt !== undefined) return total(all) === 0 ? [] : [line(total(all), doubt.why, doubt.command)];
  const stubborn = dryRun ? 0 : total(equal);
  return [
    ...(changed > 0 ? [line(changed, 'changed since the seed', `loadctl seed ${named} --reset`)] : []),
    ...(stubborn > 0 ? [line(stubborn, 'they come back as soon as they are removed')] : []),
  ];
}

async function countSeeded(servers: Servers, entries: Entries): Promise<There> {
  const [equal, all] = [tally(), tally()];
  let changed = 0;
  for (const batch of entryBatches(entries, servers.width())) {
    for (const { state, node } of await compare(servers, batch)) {
      equal.add(node, state === 'equal' ? 1 : 0);
      all.add(node, state === 'absent' ? 0 : 1);
      if (state === 'different') changed++;
    }
  }
  return { equal: equal.counts, all: all.counts, changed };
}

/** So many keys are counted to tell that they stay; of more it is told without a number. */
const mostCounted = 100_000;

/** What stays for the next test. */
export async function keptLine(servers: Servers, { set, entry }: Entries): Promise<ReceiptLine[]> {
  const place = { kind: 'kept', store: servers.store, shard: null, what: setName(servers, set) } as const;
  if (set.rows > mostCounted) return [{ ...place, count: null }];
  const count = await countKeys(
    servers,
    Array.from({ length: set.rows }, (_, index) => entry(index + 1).key),
  );
  return count === 0 ? [] : [{ ...place, count }];
}

/** Keys of a set as it was seeded before, which the profile does not know any more: what it takes to take them out. */
export async function formerLine(servers: Servers, former: FormerSet, task: StoreTask): Promise<ReceiptLine[]> {
  const { set, again } = former;
  const [kept] = await formerKeptLine(servers, former, task);
  const why = `seeded before (${set.rows} entries); no longer in the profile`;
  return kept === undefined ? [] : [{ ...kept, kind: 'left', why, command: `loadctl cleanup ${task.named} --seeded ${again}` }];
}

/** The same, of a cleanup that leaves what was seeded. */
export async function formerKeptLine(servers: Servers, { set, source }: FormerSet, task: StoreTask): Promise<ReceiptLine[]> {
  if ('table' in set) return [];
  const pieces = keyPieces(set, source);
  const now = task.entries.map((each): [Pieces, number] => [keyPieces(each, task.source(each)), each.rows]);
  const inverses = now.flatMap(([other, rows]) => inverseOf(other, rows) ?? []);
  const isKnown = (key: string) => inverses.some((inverse) => rowOf(inverse, key) !== undefined);
  let count = 0;
  for (let from = 1; from <= set.rows; from += mostCounted) {
    const numbers = Array.from({ length: Math.min(mostCounted, set.rows - from + 1) }, (_, index) => from + index);
    count += await countKeys(
      servers,
      numbers.map((n) => render(pieces, n)).filter((key) => !isKnown(key)),
    );
  }
  return count === 0 ? [] : [{ kind: 'kept', store: servers.store, shard: null, what: setName(servers, set), count }];
}

/** How many of some keys are there. */
export async function countKeys(servers: Servers, keys: readonly string[]): Promise<number> {
  let count = 0;
  const width = 500 * servers.width();
  for (let from = 0; from < keys.length; from += width) {
    const answers = await servers.run(keys.slice(from, from + width).map((key) => ({ key, words: ['EXISTS', key] })));
    count += answers.filter((answer) => valueIn(servers, answer) === 1).length;
  }
  return count;
}

const shownChanges = 10;

/** The entries that certainly are of a set, and hold something else than was seeded. */
export async function changedEntries(servers: Servers, set: StoreTask['entries'][number], task: StoreTask): Promise<ChangedSeed[]> {
  const examples: string[] = [];
  let count = 0;
  for await (const changed of eachChanged(servers, set, task)) {
    count += changed.length;
    for (const { entry, found, wanted } of changed.slice(0, shownChanges - examples.length))
      examples.push(`${JSON.stringify(entry.key)} holds ${found}, not ${wanted}`);
  }
  return count === 0 ? [] : [{ store: servers.store, shard: null, what: setName(servers, set), count, examples }];
}

interface TakingChanged {
  readonly set: StoreTask['entries'][number];
  readonly task: StoreTask;
  removed(count: number): void;
}

/** Takes those out, if they still hold what was found there; `removed` is told how many went, batch by batch. */
export async function takeChanged(servers: Servers, { set, task, removed }: TakingChanged): Promise<void> {
  for await (const changed of eachChanged(servers, set, task)) {
    const answers = await servers.run(
      changed.map(({ entry, stored }) => {
        const { key } = entry;
        return stored === undefined ? { key, words: ['UNLINK', key] } : unlinkAsFound(entry, stored);
      }),
    );
    removed(answers.filter(({ error, value }) => error === null && value === 1).length);
    for (const answer of answers) valueIn(servers, answer);
  }
}

/** Those of a set that certainly are of it and hold something else, some at a time. */
async function* eachChanged(servers: Servers, set: StoreTask['entries'][number], task: StoreTask): AsyncGenerator<Compared[]> {
  const entries = entriesOf(set, task.source(set));
  if (doubtOf(entries, task) !== undefined) return;
  for (const batch of entryBatches(entries, servers.width())) {
    const changed = (await compare(servers, batch)).filter(({ state }) => state === 'different');
    if (changed.length > 0) yield changed;
  }
}

/** A set as people read it: `logins (cache/user:{users.id})`. */
export function setName({ store }: Servers, { name, key }: { readonly name: string; readonly key: string }): string {
  return `${name} (${store}/${key})`;
}
