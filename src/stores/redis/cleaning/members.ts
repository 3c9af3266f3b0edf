import { LoadctlError } from '../../../core/errors.js';
import type { ReceiptLine } from '../../../core/receipt.js';
import type { CleanupKeys } from '../../../profile/sections/schema.js';
import { readPattern } from '../../../profile/words/template.js';
import type { StoreTask } from '../../kind/types.js';
import { runOne, type Servers, valueIn } from '../connection/servers.js';
import { isPlain } from '../keys/glob.js';
import { type Matcher, matcherOf } from '../keys/matcher.js';
import { scanKeys } from '../keys/scan.js';
import { type Collection, collectionTypes } from './collections.js';
import { type Job, whereText } from './job.js';
import { total } from './tally.js';

export type Members = Extract<CleanupKeys, { members: unknown }>;

/** Members of lists, sets, sorted sets and hashes: `key` with `members`. */
export function membersJob(servers: Servers, { key: written, members: pattern }: Members, task: StoreTask): Job {
  const key = readPattern(written)
    .map((part) => (part.kind === 'text' ? part.text : ''))
    .join('');
  const members = matcherOf(pattern, task);
  const others = new Map<string, string>();
  const find = (keys: Pages) => findCollections(servers, keys, (name, type) => others.set(name, type));
  return {
    servers,
    what: 'members',
    which: `${pattern} of ${key}`,
    statement: statementOf(servers, key, members.glob),
    check: () => refuseOtherType(servers, key),
    async count() {
      others.clear();
      const found = await atEveryKey(servers, key, (keys) => countMembers(servers, find(keys), members));
      return new Map([...found].map(([node, counts]) => [node, total(counts)]));
    },
    async take(deleted) {
      await atEveryKey(servers, key, async (keys) => {
        for await (const found of find(keys)) {
          await found.collection.remove(servers, found.key, members, (count) => deleted.add(found.node, count));
        }
      });
      await servers.replicate();
    },
    lines: () => linesOf(servers, key, others),
  };
}

const shownKeys = 3;

/** Keys that a pattern hits and that hold no members: what of the test is in them, nobody looked. */
function linesOf({ store }: Servers, key: string, others: ReadonlyMap<string, string>): ReceiptLine[] {
  if (others.size === 0) return [];
  const shown = [...others].slice(0, shownKeys).map(([key, type]) => `${key} is a ${type}`);
  const why = `they have no members to remove: ${shown.join(', ')}${others.size > shownKeys ? ', …' : ''}`;
  return [
    {
      kind: 'unknown',
      store,
      shard: null,
      what: `${store}/${key}`,
      count: others.size,
      why,
      command: 'name the lists, sets, sorted sets and hashes alone, or remove whole keys by `match`',
    },
  ];
}

/** A key that the profile names is taken to hold the test's members: left as found, it would count as clean. */
async function refuseOtherType(servers: Servers, key: string): Promise<void> {
  if (!isPlain(key)) return;
  const type = String((await runOne(servers, key, 'TYPE', key)).value);
  if (type === 'none' || collectionTypes.has(type)) return;
  throw new LoadctlError(
    'invalid-profile',
    `${servers.store}: the key ${JSON.stringify(key)} is a ${type}, which has no members to remove`,
    {
      hint: 'Name a list, set, sorted set or hash under cleanup.keys, or remove whole keys by `match`.',
    },
  );
}

/** Keys, some at a time. */
type Pages = AsyncIterable<Buffer[]> | Iterable<Buffer[]>;

/** Hands over the keys that fit, server by server; one name needs no search. */
async function atEveryKey<T>(servers: Servers, glob: string, work: (keys: Pages) => Promise<T>): Promise<ReadonlyMap<string, T>> {
  if (!isPlain(glob)) return servers.everywhere((node) => work(scanKeys(node, glob)));
  const { node } = await runOne(servers, glob, 'TYPE', glob);
  return new Map([[node, await work([[Buffer.from(glob)]])]]);
}

/** A key with members. */
interface Found {
  readonly key: Buffer;
  /** host:port of the server that it was at. */
  readonly node: string;
  readonly collection: Collection;
}

async function* findCollections(servers: Servers, pages: Pages, tellOther: (key: string, type: string) => void): AsyncGenerator<Found> {
  for await (const keys of pages) {
    const types = await servers.run(keys.map((key) => ({ key, words: ['TYPE', key] })));
    for (const [index, key] of keys.entries()) {
      const type = String(valueIn(servers, types[index]));
      const collection = collectionTypes.get(type);
      if (collection) yield { key, node: types[index]?.node ?? '', collection };
      else if (type !== 'none') tellOther(key.toString(), type);
    }
  }
}

/** SCAN may hand out a key twice: what it holds is counted once. */
async function countMembers(servers: Servers, collections: AsyncIterable<Found>, members: Matcher): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for await (const { key, collection } of collections) {
    counts.set(key.toString('latin1'), await collection.count(servers, key, members));
  }
  return counts;
}

function statementOf(servers: Servers, key: string, members: string): string {
  const find = isPlain(key) ? (servers.isCluster ? '' : whereText(servers)) : `${whereText(servers)}SCAN MATCH ${key}; `;
  return `${find}SSCAN, ZSCAN, HSCAN MATCH ${members} or LRANGE of ${key}; SREM, ZREM, HDEL or LSET and LREM what fits`;
}
