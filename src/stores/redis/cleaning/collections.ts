import { runOne, type Servers } from '../connection/servers.js';
import type { Matcher } from '../keys/matcher.js';
import { pageSize, readPage } from '../keys/scan.js';
import { countInList, removeFromList } from './lists.js';

/** A type of key that holds members of which some can be taken out. */
export interface Collection {
  /** How many members fit. */
  count(servers: Servers, key: string | Buffer, members: Matcher): Promise<number>;
  /** Takes out the members that fit; tells how many went as it goes. */
  remove(servers: Servers, key: string | Buffer, members: Matcher, tell: (count: number) => void): Promise<void>;
}

/** How a type is walked and what takes members out of it; of a page every `step`-th text is a member. */
interface Walk {
  readonly scan: string;
  readonly remove: string;
  readonly step: number;
}

/** By the word that TYPE answers. */
export const collectionTypes: ReadonlyMap<string, Collection> = new Map([
  ['set', scanned({ scan: 'SSCAN', remove: 'SREM', step: 1 })],
  ['zset', scanned({ scan: 'ZSCAN', remove: 'ZREM', step: 2 })],
  ['hash', scanned({ scan: 'HSCAN', remove: 'HDEL', step: 2 })],
  [
    'list',
    {
      count: (servers, key, { fits }) => countInList(servers, key, fits),
      remove: (servers, key, { fits }, tell) => removeFromList(servers, key, fits, tell),
    },
  ],
]);

function scanned(walk: Walk): Collection {
  return {
    async count(servers, key, members) {
      const seen = new Set<string>();
      for await (const found of scanMembers(servers, key, members, walk)) for (const member of found) seen.add(member.toString('latin1'));
      return seen.size;
    },
    async remove(servers, key, members, tell) {
      for await (const found of scanMembers(servers, key, members, walk)) {
        if (found.length > 0) tell(Number((await runOne(servers, key, walk.remove, key, ...found)).value));
      }
    },
  };
}

/** The members that fit, some hundreds at a time. A cursor means nothing to another server: where one took over, it begins anew. */
async function* scanMembers(
  servers: Servers,
  key: string | Buffer,
  { glob, fits }: Matcher,
  { scan, step }: Walk,
): AsyncGenerator<Buffer[]> {
  let cursor = '0';
  let at: string | undefined;
  do {
    const { value, node } = await runOne(servers, key, scan, key, cursor, 'MATCH', glob, 'COUNT', pageSize);
    const [next, found] = readPage(value);
    yield found.filter((member, index) => index % step === 0 && fits(member));
    const goesOn = cursor === '0' || node === at;
    cursor = goesOn ? next : '0';
    at = goesOn ? node : undefined;
  } while (cursor !== '0' || at === undefined);
}
