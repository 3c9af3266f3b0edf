import { LoadctlError } from '../../../core/errors.js';
import type { DataPlace } from '../../../core/work.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';
import type { Iam } from './iam.js';
import { isEncrypted, type TlsWish, takeTls } from './tls.js';

/** One database of a store, as the profile names it. */
export interface Address {
  readonly store: string;
  /** Null where the store has one URL. */
  readonly shard: number | null;
  /** Without what pg would misread: TLS words, an application_name. */
  readonly url: string;
  readonly tls: TlsWish;
  /** It follows another one, which is the one that the lock is taken in. */
  readonly isReplica?: boolean;
  /** Log in with a token; missing where the URL says all. */
  readonly iam?: Iam;
}

/** The same as events name it. */
export function dataPlace({ address: { store, shard } }: { readonly address: Address }): DataPlace {
  return { store, shard };
}

/** Every database of a store, shards in their order. */
export function addressesOf(store: string, config: PostgresStore): Address[] {
  if (config.shards) {
    const by = config.shardBy?.by;
    checkModulo(store, config.shards.length, by?.kind === 'sql' ? undefined : by?.modulo);
    return config.shards.map((url, shard) => address(store, shard, url, config));
  }
  if (config.url === undefined)
    throw new LoadctlError('invalid-profile', `the store ${store} has neither url nor shards`, { hint: 'Give it a `url`.' });
  return [address(store, null, config.url, config)];
}

/** The replica of a database; undefined where the profile names none. */
export function replicaOf(config: PostgresStore, { store, shard }: Address): Address | undefined {
  const url = shard === null ? config.replica : config.replicas?.[shard];
  return url === undefined ? undefined : { ...address(store, shard, url, config), isReplica: true };
}

function address(store: string, shard: number | null, text: string, { tls, auth, password }: PostgresStore): Address {
  if (!URL.canParse(text) || /%(?![0-9a-f]{2})/i.test(text)) {
    throw new LoadctlError('invalid-profile', `the URL of the store ${store} cannot be read`, {
      hint: 'Write it as postgres://user:password@host:5432/database; percent-encode what is special in its parts.',
    });
  }
  const url = new URL(text);
  url.pathname = url.pathname.replaceAll(/%(?:2[46BCF]|3[ABD]|40)/gi, decodeURIComponent); // pg leaves these as they are written
  url.searchParams.delete('application_name');
  if (password !== undefined) url.password = encodeURIComponent(password);
  const wish = takeTls(url, tls);
  if (auth === undefined) return { store, shard, url: url.toString(), tls: wish };
  if (!isEncrypted(wish.mode)) throw readableToken(store, wish.mode);
  url.username = encodeURIComponent(auth.iam.user);
  url.password = '';
  return { store, shard, url: url.toString(), tls: wish, iam: auth.iam };
}

function checkModulo(store: string, shards: number, modulo: number | undefined): void {
  if (modulo === undefined || modulo === shards) return;
  throw new LoadctlError('invalid-profile', `the store ${store} has ${shards} shards, but shardBy says % ${modulo}`, {
    hint: 'Make both the same number: shards[r] holds remainder r.',
  });
}

/** Whoever reads a token on its way may log in with it. */
function readableToken(store: string, mode: string): LoadctlError {
  return new LoadctlError(
    'invalid-profile',
    `the store ${store} logs in with an IAM token, and tls mode \`${mode}\` may send it in plain text`,
    {
      hint: 'Set `tls: {mode: verify-full}`.',
    },
  );
}
