import type { RedisNode } from '../connection/node.js';

/** So many keys or members make a page of a search: short, as an answer counts as memory of the server. */
export const pageSize = 250;

/** Every key of a server that fits the glob, some hundreds at a time; SCAN may hand out a key twice. */
export async function* scanKeys(node: RedisNode, glob = '*'): AsyncGenerator<Buffer[]> {
  let cursor = '0';
  do {
    const [next, keys] = readPage(await node.ask('SCAN', cursor, 'MATCH', glob, 'COUNT', pageSize));
    if (keys.length > 0) yield keys;
    cursor = next;
  } while (cursor !== '0');
}

/** A page of SCAN and its like: where to go on, and what was found. */
export function readPage(answer: unknown): [cursor: string, found: Buffer[]] {
  const [cursor, found]: unknown[] = Array.isArray(answer) ? answer : [];
  return [String(cursor ?? '0'), Array.isArray(found) ? found.filter((each) => Buffer.isBuffer(each)) : []];
}

/** Keys that are not the test's. */
export interface Strangers {
  readonly count: number;
  /** The count as it is shown; counting ends at 10,000. */
  readonly shown: string;
  /** Up to ten of them. */
  readonly first: readonly string[];
}

const enough = 10_000;

/** Looks for keys that are not the test's: what `strangers` picks of a page. */
export async function findStrangers(
  node: RedisNode,
  strangers: (keys: readonly Buffer[]) => Promise<readonly Buffer[]>,
): Promise<Strangers> {
  const found = new Set<string>();
  for await (const keys of scanKeys(node)) {
    for (const key of await strangers(keys)) found.add(key.toString());
    if (found.size >= enough) break;
  }
  return { count: found.size, shown: found.size >= enough ? `at least ${enough}` : String(found.size), first: [...found].slice(0, 10) };
}
