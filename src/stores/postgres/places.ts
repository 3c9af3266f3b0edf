import { LoadctlError } from '../../core/errors.js';
import type { PostgresStore } from '../../profile/schema.js';
import { type TlsWish, takeTls } from './tls.js';

/** One database of a store, as the profile names it. */
export interface Address {
  readonly store: string;
  /** Null where the store has one URL. */
  readonly shard: number | null;
  /** Without what pg would misread: TLS words, an application_name. */
  readonly url: string;
  readonly tls: TlsWish;
}

/** Every database of a store, shards in their order. */
export function addressesOf(store: string, config: PostgresStore): Address[] {
  if (config.auth) {
    throw new LoadctlError('unavailable', `${store}: logging in with an IAM token (auth.iam) is not built yet`, {
      hint: 'Put a password into the URL for now.',
    });
  }
  if (config.shards) {
    const by = config.shardBy?.by;
    checkModulo(store, config.shards.length, by?.kind === 'sql' ? undefined : by?.modulo);
    return config.shards.map((url, shard) => address(store, shard, url, config.tls));
  }
  if (config.url === undefined)
    throw new LoadctlError('invalid-profile', `the store ${store} has neither url nor shards`, { hint: 'Give it a `url`.' });
  return [address(store, null, config.url, config.tls)];
}

function address(store: string, shard: number | null, text: string, tls: PostgresStore['tls']): Address {
  if (!URL.canParse(text)) {
    throw new LoadctlError('invalid-profile', `the URL of the store ${store} cannot be read`, {
      hint: 'Write it as postgres://user:password@host:5432/database; percent-encode what is special in the password.',
    });
  }
  const url = new URL(text);
  url.searchParams.delete('application_name');
  const wish = takeTls(url, tls);
  return { store, shard, url: url.toString(), tls: wish };
}

function checkModulo(store: string, shards: number, modulo: number | undefined): void {
  if (modulo === undefined || modulo === shards) return;
  throw new LoadctlError('invalid-profile', `the store ${store} has ${shards} shards, but shardBy says % ${modulo}`, {
    hint: 'Make both the same number: shards[r] holds remainder r.',
  });
}
