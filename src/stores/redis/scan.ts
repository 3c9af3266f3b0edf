import type { Connection } from './connection.js';

/** Every key of the index that fits the glob, some hundreds at a time; SCAN may hand out a key twice. */
export async function* scanKeys(connection: Connection, glob = '*'): AsyncGenerator<Buffer[]> {
  let cursor = '0';
  do {
    const at = cursor;
    const [next, keys] = await connection.run((client) => client.scanBuffer(at, 'MATCH', glob, 'COUNT', 1000));
    if (keys.length > 0) yield keys;
    cursor = next.toString();
  } while (cursor !== '0');
}

/** How many keys fit the glob. */
export async function countKeys(connection: Connection, glob: string): Promise<number> {
  const seen = new Set<string>();
  for await (const keys of scanKeys(connection, glob)) for (const key of keys) seen.add(key.toString('latin1'));
  return seen.size;
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

/** Looks for keys that are not known. */
export async function findStrangers(connection: Connection, isKnown: (key: string) => boolean): Promise<Strangers> {
  const found = new Set<string>();
  for await (const keys of scanKeys(connection)) {
    for (const key of keys) if (!isKnown(key.toString())) found.add(key.toString());
    if (found.size >= enough) break;
  }
  return { count: found.size, shown: found.size >= enough ? `at least ${enough}` : String(found.size), first: [...found].slice(0, 10) };
}

/** Unlinks the keys that fit the glob and are picked; hands back how many went. */
export async function unlinkKeys(
  connection: Connection,
  { glob = '*', only = () => true }: { glob?: string; only?: (key: string) => boolean },
): Promise<number> {
  let deleted = 0;
  for await (const keys of scanKeys(connection, glob)) {
    const chosen = keys.filter((key) => only(key.toString()));
    if (chosen.length > 0) deleted += await connection.run((client) => client.unlink(...chosen));
  }
  return deleted;
}
