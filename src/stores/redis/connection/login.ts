import { readFile } from 'node:fs/promises';
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from 'node:tls';
import { errorCode, LoadctlError } from '../../../core/errors.js';
import type { RedisStore } from '../../../profile/sections/schema.js';
import { type Address, isAddress, listedNodes } from './address.js';

/** As whom, and how protected, the servers of a store are spoken to. */
export interface Login {
  readonly username?: string;
  readonly password?: string;
  /** Missing where plain text is spoken. */
  readonly tls?: Encryption;
}

/** TLS, always with verified certificates. */
interface Encryption {
  /** The authority's certificate; the system's where it is missing. */
  readonly ca?: string;
  /** The names that the profile calls the nodes by. */
  readonly names: readonly string[];
}

/** Reads how to log in from the profile, and the authority's file. */
export async function readLogin(store: string, config: RedisStore): Promise<Login> {
  const url = config.cluster === undefined ? storeUrl(store, config) : undefined;
  const username = config.username ?? decodeURIComponent(url?.username ?? '');
  const password = config.password ?? decodeURIComponent(url?.password ?? '');
  const isProtected = url?.protocol === 'rediss:' || config.tls !== undefined;
  return {
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(isProtected ? { tls: await readEncryption(config) } : {}),
  };
}

/** The URL of a single Redis. */
export function storeUrl(store: string, config: RedisStore): URL {
  if (config.url !== undefined && URL.canParse(config.url)) return new URL(config.url);
  throw new LoadctlError('invalid-profile', `the URL of the store ${store} is missing or cannot be read`, {
    hint: 'Write it as redis://user:password@host:6379/0.',
  });
}

/** The index that seeded entries go to: the URL's; a cluster has no other than 0. */
export function seedIndex(store: string, config: RedisStore): number {
  if (config.cluster !== undefined) return 0;
  const path = storeUrl(store, config).pathname.slice(1);
  if (/^\d*$/.test(path)) return Number(path);
  throw new LoadctlError('invalid-profile', `${store}: the URL's path ${JSON.stringify(path)} is not a database index`, {
    hint: 'Write redis://host:6379/0.',
  });
}

async function readEncryption(config: RedisStore): Promise<Encryption> {
  const ca = config.tls?.ca;
  const names = listedNodes(config)
    .map(({ host }) => host)
    .filter((host) => !isAddress(host));
  return { names, ...(ca === undefined ? {} : { ca: await readPem(ca) }) };
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

/**
 * TLS for one server. Its certificate must be for the name that it is reached by. A node of a cluster that announces
 * an address instead of a name may show a certificate for another name that the profile lists.
 */
export function tlsFor({ host }: Address, { ca, names }: Encryption): ConnectionOptions {
  const trust = ca === undefined ? {} : { ca };
  const [first] = names;
  if (!isAddress(host) || first === undefined) return trust;
  return { ...trust, servername: first, checkServerIdentity: (_, certificate) => identityProblem([host, ...names], certificate) };
}

/** What keeps a certificate from being for one of these hosts; said of the first of them. */
function identityProblem(hosts: readonly string[], certificate: PeerCertificate): Error | undefined {
  const problems = hosts.map((host) => checkServerIdentity(host, certificate));
  return problems.includes(undefined) ? undefined : problems[0];
}
