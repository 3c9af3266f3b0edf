import { z } from 'zod';
import { testIndex, text, url } from '../words.js';

const postgresUrl = () => url(['postgres', 'postgresql'], 'postgres://user:${DB_PASSWORD}@db.example.com:5432/reservations');

const shardBy = z
  .string({ error: 'expected a column and the number of shards such as `id % 4`' })
  .transform((value, context) => {
    const match = /^\s*(\w+)\s*%\s*(\d+)\s*$/.exec(value);
    if (match?.[1] !== undefined && Number(match[2]) > 0) return { column: match[1], modulo: Number(match[2]) };
    context.addIssue({ code: 'custom', message: 'expected a column and the number of shards such as `id % 4`' });
    return z.NEVER;
  })
  .meta({ pattern: '^\\s*\\w+\\s*%\\s*\\d+\\s*$', examples: ['id % 4'] });

const postgres = z
  .strictObject({
    kind: z.literal('postgres').describe('A PostgreSQL database.'),
    url: postgresUrl().describe('Where it is, and as whom to log in.').exactOptional(),
    shards: z
      .array(postgresUrl())
      .min(1, { error: 'expected at least one shard' })
      .meta({ description: 'Several databases instead of `url`: `shards[r]` holds remainder r.', examples: [['${DB_0}', '${DB_1}']] })
      .exactOptional(),
    shardBy: shardBy.describe('Which shard a row is in: trailing digits of this column modulo the number of shards.').exactOptional(),
    tls: z
      .strictObject({
        mode: z
          .enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'])
          .meta({ description: 'What `sslmode` means to libpq.', examples: ['verify-full'] }),
        ca: text('the path of a PEM file')
          .meta({ description: 'The certificate authority; relative to the file that names it.', examples: ['rds.pem'] })
          .exactOptional(),
      })
      .describe('How the connection is protected. Wins over the URL’s `sslmode`.')
      .exactOptional(),
    auth: z
      .strictObject({
        iam: z
          .strictObject({
            region: text('a region').meta({ description: 'The AWS region of the database.', examples: ['eu-central-1'] }),
            user: text('a role').meta({ description: 'The database role to log in as.', examples: ['loadctl'] }),
          })
          .describe('An IAM token as password (RDS).'),
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
