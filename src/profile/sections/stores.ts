import { z } from 'zod';
import { testIndex, text, url } from '../words/words.js';

const postgresUrl = () => url(['postgres', 'postgresql'], 'postgres://user:${DB_PASSWORD}@db.example.com:5432/reservations');

/** Hashes of a key that loadctl can take by itself; any other one is an expression. */
export const shardHashes = ['crc32', 'fnv1a', 'murmur3', 'md5'] as const;

const shardWords = `expected a column, hashed or not, and the number of shards such as \`id % 4\` or \`crc32(id) % 4\``;
const shardPattern = `^\\s*(?:(\\w+)|(${shardHashes.join('|')})\\(\\s*(\\w+)\\s*\\))\\s*%\\s*(\\d+)\\s*$`;

/** By which column, and how, a row finds its shard. */
export interface ShardBy {
  readonly column: string;
  readonly by:
    | { readonly kind: 'digits'; readonly modulo: number }
    | { readonly kind: 'hash'; readonly hash: (typeof shardHashes)[number]; readonly modulo: number }
    | { readonly kind: 'sql'; readonly sql: string };
}

const shardByModulo = z
  .string({ error: shardWords })
  .transform((value, context): ShardBy => {
    const [, plain, hash, hashed, number] = new RegExp(shardPattern).exec(value) ?? [];
    const [column, modulo] = [plain ?? hashed, Number(number)];
    const known = shardHashes.find((name) => name === hash);
    if (column !== undefined && modulo > 0)
      return { column, by: known === undefined ? { kind: 'digits', modulo } : { kind: 'hash', hash: known, modulo } };
    context.addIssue({ code: 'custom', message: shardWords });
    return z.NEVER;
  })
  .meta({ pattern: shardPattern, examples: ['id % 4', 'crc32(id) % 4'] });

const shardByExpression = z
  .strictObject({
    column: text('a column’s name').meta({ description: 'The column that the expression is about.', examples: ['id'] }),
    sql: text('an SQL expression').meta({
      description: 'The number of the shard, from 0 on, as Postgres computes it; `key` is the column’s value.',
      examples: ['abs(hashtext(key)) % 4'],
    }),
  })
  .transform(({ column, sql }): ShardBy => ({ column, by: { kind: 'sql', sql } }));

const shardBy = z.union([shardByModulo, shardByExpression], { error: shardWords });

const postgres = z
  .strictObject({
    kind: z.literal('postgres').describe('A PostgreSQL database.'),
    url: postgresUrl().describe('Where it is, and as whom to log in.').exactOptional(),
    shards: z
      .array(postgresUrl())
      .min(1, { error: 'expected at least one shard' })
      .meta({ description: 'Several databases instead of `url`: `shards[r]` holds remainder r.', examples: [['${DB_0}', '${DB_1}']] })
      .exactOptional(),
    shardBy: shardBy
      .describe(
        'Which shard a row is in: `id % 4` takes the trailing digits of that column, `crc32(id) % 4` (fnv1a, murmur3, md5) a hash of its text, `{column, sql}` an expression.',
      )
      .exactOptional(),
    replica: postgresUrl().describe('A replica of `url`, where the rows of others are counted for the receipt.').exactOptional(),
    replicas: z
      .array(postgresUrl())
      .min(1, { error: 'expected at least one replica' })
      .meta({ description: 'A replica of each of the `shards`, in their order.', examples: [['${REPLICA_0}', '${REPLICA_1}']] })
      .exactOptional(),
    tls: z
      .strictObject({
        mode: z
          .enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'])
          .meta({ description: 'What `sslmode` means to libpq.', examples: ['verify-full'] }),
        ca: text('the path of a PEM file')
          .meta({ description: 'The certificate authorities; relative to the file that names it.', examples: ['rds.pem'] })
          .exactOptional(),
        certificate: text('the path of a PEM file')
          .meta({ description: 'loadctl’s own certificate, where the database asks for one.', examples: ['loadctl.pem'] })
          .exactOptional(),
        key: text('the path of a PEM file')
          .meta({ description: 'The private key of that certificate.', examples: ['loadctl.key'] })
          .exactOptional(),
      })
      .describe('How the connection is protected. Wins over the URL’s `sslmode`.')
      .exactOptional(),
    password: text('a password')
      .meta({
        description: 'The password of the role in the URL, for all shards and replicas; as it is, not percent-encoded.',
        examples: ['${DB_PASSWORD}'],
      })
      .exactOptional(),
    auth: z
      .strictObject({
        iam: z
          .strictObject({
            region: text('a region').meta({ description: 'The AWS region of the database.', examples: ['eu-central-1'] }),
            user: text('a role').meta({ description: 'The database role to log in as.', examples: ['loadctl'] }),
          })
          .describe('A fresh IAM token as the password of each connection (RDS). Needs TLS.'),
      })
      .describe('How to log in, where it is not with the URL’s password.')
      .exactOptional(),
  })
  .describe('A PostgreSQL database: `url`, or `shards` with `shardBy`.');

const redis = z
  .strictObject({
    kind: z.literal('redis').describe('A Redis or Valkey server, or a cluster of them.'),
    url: url(['redis', 'rediss'], 'redis://cache.example.com:6379/0')
      .describe('Where it is. Its index (`/0`) is where seeded entries go.')
      .exactOptional(),
    cluster: z
      .array(
        text('a node such as `redis-1:6379`').regex(/^[\w.-]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$|\$\{/, {
          error: 'expected a node such as `redis-1:6379`',
        }),
      )
      .min(1, { error: 'expected at least one node' })
      .meta({ description: 'Some nodes of a Redis Cluster, instead of `url`.', examples: [['redis-1:6379', 'redis-2:6379']] })
      .exactOptional(),
    testDatabase: testIndex()
      .meta({ description: 'The one index that may be flushed. Never 0.', examples: [1] })
      .exactOptional(),
    tls: z
      .strictObject({
        ca: text('the path of a PEM file')
          .meta({ description: 'The certificate authority; relative to the file that names it.', examples: ['redis.pem'] })
          .exactOptional(),
      })
      .describe('Speak TLS, as `rediss:` does.')
      .exactOptional(),
    username: text('a name')
      .meta({ description: 'The ACL user, where the URL does not say.', examples: ['loadctl'] })
      .exactOptional(),
    password: text('a password')
      .meta({ description: 'Its password.', examples: ['${REDIS_PASSWORD}'] })
      .exactOptional(),
  })
  .describe('A Redis: `url`, or `cluster`.');

/** The databases and caches that are seeded and cleaned up, by name. */
export const stores = z
  .record(
    z.string().regex(/^[A-Za-z][\w-]*$/, { error: 'expected a name of letters, digits, `-` and `_`' }),
    z.discriminatedUnion('kind', [postgres, redis]),
  )
  .prefault({})
  .meta({ description: 'The databases and caches that are seeded and cleaned up, each with a name of your choice.' });
