import type { IncomingMessage } from 'node:http';
import { idHeader, isVirtualUser, signatureHeader, verifyBypass } from '../bypass/typescript/bypass.js';
import { Refused } from './answers.js';
import type { Cache } from './cache.js';
import type { Store } from './store.js';

/** Finds out who calls; refuses with 401. */
export type FindCaller = (request: IncomingMessage) => Promise<string>;

/** Callers are looked up in the cache, then in the database; virtual users pass with a signature instead. */
export function callers(cache: Cache, store: Store, bypassKey: string | undefined): FindCaller {
  return async (request) => {
    const id = header(request, idHeader);
    if (id === undefined || id === '' || id.length > 200) throw new Refused(401, `${idHeader} is missing`);
    if (isVirtualUser(id)) return virtual(id, header(request, signatureHeader), bypassKey);
    if (!(await known(id, cache, store))) throw new Refused(401, 'unknown user');
    return id;
  };
}

function virtual(id: string, signature: string | undefined, key: string | undefined): string {
  if (key === undefined || !verifyBypass({ id, header: signature, key, now: Date.now() / 1000 }).ok) throw new Refused(401, 'unknown user');
  return id;
}

async function known(id: string, cache: Cache, store: Store): Promise<boolean> {
  // A cache that is away makes the service slower, not unavailable.
  if (await cache.has(id).catch(() => false)) return true;
  const user = await store.findUser(id);
  if (user) await cache.put(user).catch(() => undefined);
  return user !== undefined;
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : value;
}
