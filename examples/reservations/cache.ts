import { Redis } from 'ioredis';
import { StartError } from './options.js';

/** The service's cache of users. */
export interface Cache {
  has(user: string): Promise<boolean>;
  /** Keeps a user for an hour. */
  put(user: { readonly id: string; readonly email: string; readonly name: string }): Promise<void>;
  ping(): Promise<void>;
  close(): void;
}

const ttlSeconds = 3600;

/** Connects to Redis. */
export async function openCache(url: string, log: (line: string) => void): Promise<Cache> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: 'reservations',
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 1000,
    connectTimeout: 5000,
  });
  let why = '';
  redis.on('error', (error: Error) => {
    why = error.message;
    log(`cache: ${error.message}`);
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw new StartError(
      `REDIS_URL: cannot use it (${why || (error instanceof Error ? error.message : error)}): is Redis running, is the password right?`,
      {
        cause: error,
      },
    );
  }
  return {
    has: async (user) => (await redis.get(`user:${user}`)) !== null,
    // The same text that a pool of users is seeded with: seeding again finds its own entries, whoever wrote them.
    put: async ({ id, email, name }) => void (await redis.set(`user:${id}`, JSON.stringify({ id, email, name }), 'EX', ttlSeconds)),
    ping: async () => void (await redis.ping()),
    close: () => redis.disconnect(),
  };
}
