import type { ReceiptLine } from '../../../core/receipt.js';
import type { CleanupKeys } from '../../../profile/sections/schema.js';
import { setColumnText } from '../../../profile/words/names.js';
import type { StoreTask } from '../../kind/types.js';
import { runOne, type Servers, valueIn } from '../connection/servers.js';
import { unlinkEqualText } from '../keys/commands.js';
import { type Matcher, matcherOf } from '../keys/matcher.js';
import { mostBytes, whereFits } from '../keys/own-keys.js';
import { scanKeys } from '../keys/scan.js';
import { type Job, whereText } from './job.js';
import type { Tally } from './tally.js';

export type Match = Extract<CleanupKeys, { match: string }>;

/** Keys that fit a pattern: `match`; with `where` those of them whose value is of a set. */
export function matchJob(servers: Servers, entry: Match, task: StoreTask): Job {
  const matcher = matcherOf(entry.match, task);
  if (entry.where !== undefined) return whereJob(servers, entry, task, matcher);
  const { glob, fits } = matcher;
  return {
    servers,
    what: 'keys',
    which: entry.match,
    statement: `${whereText(servers)}SCAN MATCH ${glob}, UNLINK ${glob === entry.match ? 'what it finds' : `what fits ${entry.match}`}`,
    check: () => Promise.resolve(),
    count: () =>
      servers.everywhere(async (node) => {
        const seen = new Set<string>();
        for await (const keys of scanKeys(node, glob)) for (const key of keys) if (fits(key)) seen.add(key.toString('latin1'));
        return seen.size;
      }),
    take: (deleted) => unlinkKeys(servers, deleted, (keys) => Promise.resolve(keys.filter(fits)), glob),
    lines: () => [],
  };
}

function whereJob(servers: Servers, entry: Match, task: StoreTask, { glob, fits }: Matcher): Job {
  const which = `${entry.match} where ${entry.where?.json.join('.') ?? ''} is in ${entry.where === undefined ? '' : setColumnText(entry.where.in)}`;
  let tooLong = 0;
  let noTexts = new Set<string>();
  const look = (keys: readonly Buffer[]) => whereFits(servers, entry, task, keys.filter(fits));
  return {
    servers,
    what: 'keys',
    which,
    statement: `${whereText(servers)}SCAN MATCH ${glob}, GETRANGE; UNLINK ${which} if it still is`,
    check: () => Promise.resolve(),
    async count() {
      let long = 0;
      const others = new Set<string>();
      const counts = await servers.everywhere(async (node) => {
        const seen = new Set<string>();
        for await (const keys of scanKeys(node, glob)) {
          const looked = await look(keys);
          long += looked.tooLong;
          for (const key of looked.noTexts) others.add(key.toString());
          for (const { key } of looked.fitting) seen.add(key.toString('latin1'));
        }
        return seen.size;
      });
      [tooLong, noTexts] = [long, others];
      return counts;
    },
    take: (deleted) => unlinkWhere(servers, entry, task, deleted),
    lines: () => unreadLines(servers, entry, { tooLong, noTexts: [...noTexts] }),
  };
}

const shownKeys = 3;

/** Keys that a pattern with `where` hits and that nobody read: what of the test is in them is unknown. */
function unreadLines(
  { store }: Servers,
  { match }: Match,
  { tooLong, noTexts }: { readonly tooLong: number; readonly noTexts: readonly string[] },
): ReceiptLine[] {
  const place = { kind: 'unknown', store, shard: null, what: `${store}/${match}` } as const;
  const why = `values longer than ${mostBytes / 1024} kB are not read, so whose they are is unknown`;
  const long = { ...place, count: tooLong, why, command: 'look into them yourself, or shorten the sessions of the application' };
  const shown = `${noTexts.slice(0, shownKeys).join(', ')}${noTexts.length > shownKeys ? ', …' : ''}`;
  const others = {
    ...place,
    count: noTexts.length,
    why: `they hold no text with a field to compare: ${shown}`,
    command: 'narrow the pattern to the keys that hold JSON texts, or remove the others by `match` or `members`',
  };
  return [long, others].filter(({ count }) => count > 0);
}

/** Unlinks the keys of an entry with `where`, each only if it still holds what was read. */
export async function unlinkWhere(servers: Servers, entry: Match, task: StoreTask, deleted: Tally): Promise<void> {
  const { glob, fits } = matcherOf(entry.match, task);
  await servers.everywhere(async (node) => {
    for await (const keys of scanKeys(node, glob)) {
      const { fitting } = await whereFits(servers, entry, task, keys.filter(fits));
      const answers = await servers.run(fitting.map(({ key, stored }) => ({ key, words: ['EVAL', unlinkEqualText, 1, key, stored] })));
      deleted.add(node.name, answers.filter((answer) => valueIn(servers, answer) === 1 || answer.mayBeSecond).length);
    }
  });
  await servers.replicate();
}

/** Unlinks those keys that are picked of each page of a search. */
export async function unlinkKeys(
  servers: Servers,
  deleted: Tally,
  pick: (keys: readonly Buffer[]) => Promise<readonly Buffer[]>,
  glob = '*',
): Promise<void> {
  await servers.everywhere(async (node) => {
    for await (const keys of scanKeys(node, glob)) deleted.add(node.name, await unlink(servers, await pick(keys)));
  });
  await servers.replicate();
}

/** So many keys are unlinked by one command: it takes the server less than a millisecond. */
const keysAtOnce = 200;

/** Unlinks keys; hands back how many went. */
async function unlink(servers: Servers, keys: readonly Buffer[]): Promise<number> {
  const once = [...new Map(keys.map((key) => [key.toString('latin1'), key])).values()];
  return servers.isCluster ? unlinkEach(servers, once) : unlinkTogether(servers, once);
}

async function unlinkTogether(servers: Servers, keys: readonly Buffer[]): Promise<number> {
  let gone = 0;
  for (let from = 0; from < keys.length; from += keysAtOnce) {
    const [first = Buffer.alloc(0), ...more] = keys.slice(from, from + keysAtOnce);
    gone += Number((await runOne(servers, first, 'UNLINK', first, ...more)).value);
  }
  return gone;
}

/**
 * Each by a command of its own, in one pipeline a server: those of one command must be of one slot, and while that is on its way to
 * another node some of them would be there already, which refuses them all (TRYAGAIN).
 */
async function unlinkEach(servers: Servers, keys: readonly Buffer[]): Promise<number> {
  const answers = await servers.run(keys.map((key) => ({ key, words: ['UNLINK', key] })));
  return answers.filter((answer) => valueIn(servers, answer) === 1 || answer.mayBeSecond).length;
}
