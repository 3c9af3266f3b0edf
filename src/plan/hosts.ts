import type { PostgresStore, RedisStore } from '../profile/sections/schema.js';

/** Where something is reached. */
export interface Place {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port?: string;
}

const anyHost = /^(?:[^@]*@)?(?:\[([^\]]+)\]|([^:/]+))(?::(\d+))?$/;

const placeholder = /\$\{[A-Za-z_]\w*\}/;

/** The place that a URL leads to. A `${NAME}` that is not known yet stands for itself. */
export function placeOf(url: string): Place {
  if (!URL.canParse(url)) return { host: placeholder.exec(url)?.[0] ?? 'unknown' };
  const { hostname, port } = new URL(url);
  return at(bare(hostname), port);
}

/** The same for a database: to pg its parameters `host` and `port` win over the URL's own, and of several the last one. */
export function databasePlace(url: string): Place {
  const { host, port } = placeOf(url);
  if (!URL.canParse(url)) return { host };
  const { searchParams } = new URL(url);
  const last = (name: string) => searchParams.getAll(name).at(-1) || undefined;
  return at(last('host') ?? host, last('port') ?? port);
}

/** The places of a store, in the order it names them. */
export function storePlaces(store: PostgresStore | RedisStore): Place[] {
  if (store.kind === 'postgres') {
    const { url, shards = [], replica, replicas = [] } = store;
    return [url, ...shards, replica, ...replicas].filter((text) => text !== undefined).map(databasePlace);
  }
  return [...(store.url === undefined ? [] : [placeOf(store.url)]), ...(store.cluster ?? []).map(machinePlace)];
}

/** The place of a machine as ssh writes it: `host`, `user@host`, `host:port`. */
export function machinePlace(machine: string): Place {
  const [, bracketed, plain, port] = anyHost.exec(machine) ?? [];
  return at(bracketed ?? plain ?? machine, port);
}

/** `host` or `host:port`, for people. */
export function placeText({ host, port }: Place): string {
  const name = host.includes(':') && port !== undefined ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}

/** Whether a host is this machine itself: nothing that is sent there leaves it. A path is a Unix socket. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || name.startsWith('/') || /^127(\.\d{1,3}){3}$/.test(name);
}

function at(host: string, port: string | undefined): Place {
  return port === undefined || port === '' ? { host } : { host, port };
}

function bare(host: string): string {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
