import { type Servers, valueIn } from '../connection/servers.js';
import { countKeys, scanKeys } from '../keys/scan.js';
import { type Job, whereText } from './job.js';
import type { Tally } from './tally.js';

/** Keys that fit a pattern: `keys`. */
export function keysJob(servers: Servers, glob: string): Job {
  return {
    servers,
    what: 'keys',
    which: glob,
    statement: `${whereText(servers)}SCAN MATCH ${glob}, UNLINK what it finds`,
    check: () => Promise.resolve(),
    count: () => servers.everywhere((node) => countKeys(node, glob)),
    take: (deleted) => unlinkKeys(servers, deleted, { glob }),
  };
}

/** Unlinks the keys that fit the glob and are picked. */
export async function unlinkKeys(
  servers: Servers,
  deleted: Tally,
  { glob = '*', only = () => true }: { glob?: string; only?: (key: Buffer) => boolean },
): Promise<void> {
  await servers.everywhere(async (node) => {
    for await (const keys of scanKeys(node, glob)) deleted.add(node.name, await unlink(servers, keys.filter(only)));
  });
  await servers.replicate();
}

/**
 * Unlinks keys, each by a command of its own in one pipeline a server: of several in one command some could be on
 * their way to another node of a cluster, which refuses them all (TRYAGAIN). Hands back how many went.
 */
async function unlink(servers: Servers, keys: readonly Buffer[]): Promise<number> {
  const once = [...new Map(keys.map((key) => [key.toString('latin1'), key])).values()];
  const answers = await servers.run(once.map((key) => ({ key, words: ['UNLINK', key] })));
  return answers.filter((answer) => valueIn(servers, answer) === 1 || answer.mayBeSecond).length;
}
