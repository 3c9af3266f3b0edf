import type { PostgresStore, RedisStore } from '../sections/schema.js';
import { hasPlaceholder } from '../words/words.js';
import type { Broken, Rule } from './types.js';

/** Each store is one place or several, and says how its data is spread. */
export const storesRule: Rule = ({ profile: { stores } }) =>
  Object.entries(stores ?? {}).flatMap(([name, store]) => {
    const found = store.kind === 'postgres' ? [...postgres(store), ...login(store)] : redis(store);
    return found.map(({ lacks = [], ...broken }) => ({
      ...broken,
      path: ['stores', name, ...broken.path],
      lacks: lacks.map((path) => ['stores', name, ...path]),
    }));
  });

function postgres({ url, shards, shardBy, replica, replicas }: PostgresStore): Broken[] {
  const broken: Broken[] = [];
  const say = (path: string[], message: string, ...lacks: string[]) =>
    broken.push({ path, on: 'key', message, lacks: lacks.map((key) => [key]) });
  if (url === undefined && shards === undefined) say([], 'expected `url`, or `shards` with `shardBy`', 'url', 'shards');
  if (url !== undefined && shards !== undefined) say(['shards'], '`url` and `shards` exclude each other; remove one (`url: null`)');
  if (shards !== undefined && shardBy === undefined)
    say(['shards'], `\`shards\` need \`shardBy\` such as \`shardBy: id % ${shards.length}\``, 'shardBy');
  if (shardBy !== undefined && shards === undefined) say(['shardBy'], '`shardBy` needs `shards`', 'shards');
  if (shards !== undefined && shardBy !== undefined && shardBy.by.kind !== 'sql' && shardBy.by.modulo !== shards.length) {
    const { column, by } = shardBy;
    const key = by.kind === 'hash' ? `${by.hash}(${column})` : column;
    broken.push({ path: ['shardBy'], message: `expected the number of shards: \`${key} % ${shards.length}\`` });
  }
  if (replica !== undefined && url === undefined) say(['replica'], '`replica` needs `url`; shards have `replicas`', 'url');
  if (replicas !== undefined && replicas.length !== shards?.length)
    say(['replicas'], 'expected a replica for each shard, in their order', 'shards');
  return broken;
}

const encryptedModes: readonly string[] = ['require', 'verify-ca', 'verify-full'];

/** An IAM token is a password for a quarter of an hour: it goes over TLS only, and takes the place of the URL's own. */
function login({ url, shards, tls, auth, password: own }: PostgresStore): Broken[] {
  const broken: Broken[] = [];
  const say = (path: string[], message: string) => broken.push({ path, on: 'key', message });
  if ((tls?.certificate === undefined) !== (tls?.key === undefined)) say(['tls'], '`certificate` and `key` need each other');
  const urls = [...(url === undefined ? [] : [url]), ...(shards ?? [])]
    .filter((text) => !hasPlaceholder(text))
    .map((text) => new URL(text));
  if (own !== undefined && urls.some(({ password }) => password !== ''))
    say(['password'], 'the URL also has a password: remove one of them');
  if (auth === undefined) return broken;
  if (own !== undefined) say(['password'], 'with `auth.iam` the password is a token: remove `password`');
  const { user } = auth.iam;
  const modes = tls === undefined ? urls.map(({ searchParams }) => searchParams.get('sslmode') ?? 'prefer') : [tls.mode];
  const weak = modes.find((mode) => !encryptedModes.includes(mode));
  if (weak !== undefined)
    say(
      tls === undefined ? ['auth'] : ['tls', 'mode'],
      `\`auth.iam\` needs \`tls: {mode: verify-full}\`: \`${weak}\` may send the token in plain text`,
    );
  if (urls.some(({ password }) => password !== '')) say(['auth'], 'with `auth.iam` the password is a token: remove the one in the URL');
  if (urls.some(({ username }) => username !== '' && decodeURIComponent(username) !== user))
    say(['auth', 'iam', 'user'], `the URL logs in as another role than \`${user}\`: remove the name from one of them`);
  return broken;
}

function redis({ url, cluster, testDatabase }: RedisStore): Broken[] {
  const broken: Broken[] = [];
  const say = (path: string[], message: string, ...lacks: string[]) =>
    broken.push({ path, on: 'key', message, lacks: lacks.map((key) => [key]) });
  if (url === undefined && cluster === undefined) say([], 'expected `url`, or `cluster`', 'url', 'cluster');
  if (url !== undefined && cluster !== undefined) say(['cluster'], '`url` and `cluster` exclude each other; remove one (`url: null`)');
  if (cluster !== undefined && testDatabase !== undefined)
    say(['testDatabase'], 'a cluster has no `testDatabase`: its only index is 0; clean up by `keys` instead');
  if (url !== undefined && !hasPlaceholder(url) && !/^\/?\d*$/.test(new URL(url).pathname)) {
    broken.push({ path: ['url'], message: 'expected the URL to end in the number of an index such as `/0`' });
  }
  return broken;
}
