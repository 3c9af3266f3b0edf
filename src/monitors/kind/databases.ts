import { LoadctlError } from '../../core/errors.js';
import { databasePlace, placeText } from '../../plan/hosts.js';
import type { PostgresStore } from '../../profile/sections/schema.js';
import { sqlState } from '../../stores/postgres/connection/errors.js';
import { type Address, addressesOf, replicaOf } from '../../stores/postgres/connection/places.js';
import { openSession, type Session } from '../../stores/postgres/connection/session.js';
import { type Held, held } from './held.js';
import type { MonitorContext } from './types.js';

/** Which databases a monitor is about: those of a store, or one by its URL. */
export interface Watched {
  readonly name: string;
  readonly of?: { readonly kind: string };
  readonly url?: string;
  readonly password?: string;
}

/** Every database of it: shards in their order, then replicas where they are wanted. */
export function databasesOf({ name, of, url, password }: Watched, withReplicas: boolean): Address[] {
  const config = (of ?? { kind: 'postgres', url, ...(password === undefined ? {} : { password }) }) as PostgresStore;
  const primaries = addressesOf(name, config);
  return withReplicas ? [...primaries, ...primaries.flatMap((address) => replicaOf(config, address) ?? [])] : primaries;
}

/** `127.0.0.1:5432/shop` */
export function databaseName({ url }: Pick<Address, 'url'>): string {
  const { host, port = '5432' } = databasePlace(url);
  const path = URL.canParse(url) ? new URL(url).pathname.slice(1) : '';
  return `${placeText({ host, port })}/${decodeURIComponent(path)}`;
}

/** A session with a database that is held from the first look on. */
export function heldSession(address: Address, { label, clock }: MonitorContext): Held<Session> {
  const never = new AbortController().signal;
  return held({
    open: () => openSession(address, { label, clock, signal: never }),
    close: (session) => session.close(),
    leavesWhole: (error) => !(error instanceof LoadctlError) || isAnswer(sqlState(error)),
  });
}

/** Whether the server itself answered, and goes on: it neither ended the session nor refused it. */
function isAnswer(state: string | undefined): boolean {
  return state !== undefined && !/^(08|28|57P|53300)/.test(state);
}
