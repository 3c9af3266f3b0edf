import { readFile } from 'node:fs/promises';
import type { ChainableCommander, Redis, RedisOptions } from 'ioredis';
import { errorCode, LoadctlError } from '../../core/errors.js';
import type { RedisStore } from '../../profile/schema.js';
import type { StoreContext } from '../types.js';
import { translate } from './errors.js';

/** A connection to one index of one Redis, whose errors say what to do. */
export interface Connection {
  readonly store: string;
  /** host:port */
  readonly node: string;
  readonly index: number;
  /** Runs one command. */
  run<T>(command: (client: Redis) => Promise<T>): Promise<T>;
  /** Runs commands in one round trip; hands back each one's answer or error. */
  batch(fill: (pipeline: ChainableCommander) => void): Promise<readonly Answer[]>;
  /** From here on the signal ends nothing any more; throws when it has. */
  seal(): void;
  close(): void;
}

/** What one command of a batch came to. */
export type Answer = readonly [error: Error | null, value: unknown];

/** The index that a store's URL names: where seeded entries go. */
export function urlIndex(store: string, config: RedisStore): number {
  const path = redisUrl(store, config).pathname.slice(1);
  if (/^\d*$/.test(path)) return Number(path);
  throw new LoadctlError('invalid-profile', `${store}: the URL's path ${JSON.stringify(path)} is no index`, {
    hint: 'Write redis://host:6379/0.',
  });
}

/** Connects to one index, or throws `unavailable` with what would mend it. */
export async function openConnection(
  config: RedisStore,
  index: number,
  context: Pick<StoreContext, 'store' | 'label' | 'signal'>,
): Promise<Connection> {
  const { store, signal } = context;
  const url = redisUrl(store, config);
  const node = `${url.hostname}:${url.port || 6379}`;
  const { Redis: Client } = await import('ioredis');
  const client = new Client(await optionsOf(url, config, context.label));
  let cause: unknown;
  let sealed = false;
  client.on('error', (error) => {
    cause = error;
  });
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!sealed) throwIfAborted(signal);
    try {
      return await work();
    } catch (error) {
      throw translate(cause ?? error, store, node);
    }
  };
  try {
    await guard(() => client.connect());
    await guard(() => client.ping());
    await select(client, index, store, node);
  } catch (error) {
    client.disconnect();
    throw error;
  }
  return {
    store,
    node,
    index,
    run: (command) => guard(() => command(client)),
    batch: (fill) =>
      guard(async () => {
        const pipeline = client.pipeline();
        fill(pipeline);
        return (await pipeline.exec()) ?? [];
      }),
    seal() {
      throwIfAborted(signal);
      sealed = true;
    },
    close: () => client.disconnect(),
  };
}

async function select(client: Redis, index: number, store: string, node: string): Promise<void> {
  try {
    if (index !== 0) await client.select(index);
  } catch (error) {
    throw new LoadctlError('unavailable', `${store}: ${node} has no database ${index}`, {
      hint: 'Name a lower index, or raise `databases` in redis.conf (a cluster has index 0 only).',
      cause: error,
    });
  }
}

async function optionsOf(url: URL, config: RedisStore, label: string): Promise<Omit<RedisOptions, 'replyMapping'>> {
  const username = config.username ?? decodeURIComponent(url.username);
  const password = config.password ?? decodeURIComponent(url.password);
  const ca = config.tls?.ca;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    connectionName: label.replaceAll(' ', '-'),
    lazyConnect: true,
    connectTimeout: 10_000,
    commandTimeout: 30_000,
    keepAlive: 10_000,
    maxRetriesPerRequest: null,
    retryStrategy: () => null,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(url.protocol === 'rediss:' || config.tls ? { tls: ca ? { ca: await readPem(ca) } : {} } : {}),
  };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LoadctlError('unavailable', `the file ${path} cannot be read (${errorCode(error)})`, {
      hint: 'Correct its path in the profile, or put it there.',
    });
  }
}

function redisUrl(store: string, config: RedisStore): URL {
  if (config.cluster) {
    throw new LoadctlError('unavailable', `${store}: Redis Cluster is not built yet`, { hint: 'Name a single Redis as `url` for now.' });
  }
  if (config.url !== undefined && URL.canParse(config.url)) return new URL(config.url);
  throw new LoadctlError('invalid-profile', `the URL of the store ${store} is missing or cannot be read`, {
    hint: 'Write it as redis://user:password@host:6379/0.',
  });
}

function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw signal.reason instanceof LoadctlError ? signal.reason : new LoadctlError('interrupted', 'interrupted');
}
