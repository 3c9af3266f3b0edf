import { z } from 'zod';
import { readJsonPath } from '../../core/json-path.js';
import { count, duration, flag, size, text, url } from '../words/words.js';
import { machine } from './machine.js';

/** What every monitor has; a kind's own pace is its default. */
const pace = (every: string, timeout: string) => ({
  every: duration()
    .prefault(every)
    .meta({ description: 'How often it looks.', examples: [every] }),
  timeout: duration()
    .prefault(timeout)
    .meta({ description: 'How long an answer may take: no longer than `every`.', examples: [timeout] }),
  required: flag()
    .prefault(true)
    .meta({ description: 'Whether the result is invalid without its data. `false`: its limits are not measured then.', examples: [false] }),
});

const store = () =>
  text('the name of a store')
    .meta({ description: 'A store of the profile.', examples: ['db'] })
    .exactOptional();

const password = () =>
  text('a password')
    .meta({ description: 'The password of the role in the URL; as it is, not percent-encoded.', examples: ['${STATS_PASSWORD}'] })
    .exactOptional();

const token = () =>
  text('a token')
    .meta({ description: 'Sent as `Authorization: Bearer …`.', examples: ['${PROM_TOKEN}'] })
    .exactOptional();

const postgres = z
  .strictObject({
    kind: z.literal('postgres').describe('A PostgreSQL: connections, locks, lag, transactions.'),
    store: store().describe('The store: all its shards and replicas are watched.'),
    url: url(['postgres', 'postgresql'], 'postgres://monitor@db.example.com:5432/reservations')
      .describe('A database, instead of `store`.')
      .exactOptional(),
    password: password(),
    ...pace('1s', '1s'),
  })
  .describe('postgres: a PostgreSQL.');

const pgbouncer = z
  .strictObject({
    kind: z.literal('pgbouncer').describe('A PgBouncer: the queue that the database never sees.'),
    url: url(['postgres', 'postgresql'], 'postgres://stats@pool.example.com:6432/pgbouncer').describe(
      'Its admin database `pgbouncer`, as one of its `stats_users`.',
    ),
    password: password(),
    database: text('a database')
      .meta({ description: 'Only the pools of this database; all without it.', examples: ['reservations'] })
      .exactOptional(),
    ...pace('1s', '1s'),
  })
  .describe('pgbouncer: a PgBouncer.');

const redis = z
  .strictObject({
    kind: z.literal('redis').describe('A Redis or a cluster, by INFO alone.'),
    store: store().describe('The store: every primary of a cluster is watched.'),
    url: url(['redis', 'rediss'], 'redis://cache.example.com:6379').describe('A server, instead of `store`.').exactOptional(),
    password: password(),
    ...pace('1s', '1s'),
  })
  .describe('redis: a Redis, single or a cluster.');

/** One key, or several that are added up. */
const keys = (description: string, example: string) =>
  z
    .union([text('a key'), z.array(text('a key')).min(1, { error: 'expected at least one key' })])
    .transform((value) => (Array.isArray(value) ? value : [value]))
    .meta({ description, examples: [example] })
    .exactOptional();

const badPath = 'expected the way to one value such as `$.messages_ready`';

const jsonPath = z
  .string({ error: badPath })
  .transform((value, context) => {
    const path = readJsonPath(value.trim());
    if (path !== undefined) return path;
    context.addIssue({ code: 'custom', message: badPath });
    return z.NEVER;
  })
  .meta({ description: 'Where the JSON answer holds the depth.', examples: ['$.messages_ready'] });

const queue = z
  .strictObject({
    kind: z.literal('queue').describe('How much work waits: rows of a table, keys of a Redis, or what a URL answers.'),
    store: store().describe('A Postgres with `table`, or a Redis with `list`, `zset` or `stream`. Parts in several shards are added up.'),
    table: text('a table')
      .meta({ description: 'The table whose rows wait.', examples: ['queue_entries'] })
      .exactOptional(),
    where: text('a condition in SQL')
      .meta({ description: 'Which of its rows do.', examples: ["status = 'waiting'"] })
      .exactOptional(),
    age: text('a column, or the way to a value')
      .meta({
        description: 'When a row came: a column of the table. With `url`: where the answer holds the age of the oldest entry, in seconds.',
        examples: ['created_at'],
      })
      .exactOptional(),
    list: keys('Lists of a Redis: BullMQ waits in `bull:NAME:wait`.', 'bull:mail:wait'),
    zset: keys('Sorted sets of a Redis.', 'bull:mail:delayed'),
    stream: text('a key')
      .meta({ description: 'A stream of a Redis, with `group`.', examples: ['orders'] })
      .exactOptional(),
    group: text('a consumer group')
      .meta({ description: 'The group whose lag counts.', examples: ['billing'] })
      .exactOptional(),
    url: url(['http', 'https'], 'http://rabbit.example.com:15672/api/queues/%2F/jobs')
      .describe('What answers with JSON, with `jsonPath`.')
      .exactOptional(),
    jsonPath: jsonPath.exactOptional(),
    token: token(),
    ...pace('1s', '1s'),
  })
  .describe('queue: what waits in a table, a Redis, or anywhere that answers with JSON.');

/** The target, or a store, by name. */
const here = z
  .union([flag(), z.array(text('`target` or the name of a store')).min(1, { error: 'expected at least one name' })], {
    error: 'expected `true`, or a list of `target` and names of stores',
  })
  .meta({
    description: 'This machine; or, of it, the processes that listen where `target` or these stores are (Linux).',
    examples: [true, ['target', 'db']],
  });

const host = z
  .strictObject({
    kind: z.literal('host').describe('Machines, containers or processes: CPU and memory.'),
    nodeExporter: z
      .array(url(['http', 'https'], 'http://app-1.example.com:9100'))
      .min(1, { error: 'expected at least one URL' })
      .meta({ description: 'node_exporters.', examples: [['http://app-1.example.com:9100']] })
      .exactOptional(),
    token: token(),
    ssh: z
      .array(machine)
      .min(1, { error: 'expected at least one host' })
      .meta({
        description: 'Machines as ssh knows them (`user@host:port` will do), by their /proc (Linux); `runners.sshConfig` applies.',
        examples: [['app-1.example.com']],
      })
      .exactOptional(),
    here: here.exactOptional(),
    cgroup: z
      .union([text('a control group'), z.array(text('a control group')).min(1, { error: 'expected at least one control group' })])
      .transform((value) => (Array.isArray(value) ? value : [value]))
      .meta({
        description: 'Control groups of this machine (v1 or v2), by their path below the root.',
        examples: ['/system.slice/postgresql.service'],
      })
      .exactOptional(),
    ...pace('1s', '1s'),
  })
  .describe('host: machines by node_exporter, ssh or here; control groups and processes of this machine.');

/** What a query's value is. */
export const queryUnits = { ratio: '%', ms: 'ms', seconds: 'ms', bytes: 'B', perSecond: '/s', count: '' } as const;

const prometheus = z
  .strictObject({
    kind: z.literal('prometheus').describe('Whatever a Prometheus, Mimir, Thanos or VictoriaMetrics knows.'),
    url: url(['http', 'https'], 'https://prometheus.example.com').describe('Its base URL.'),
    token: token(),
    query: text('a PromQL query')
      .meta({
        description: 'Asked at each look; every series of its answer is a source.',
        examples: ['sum(rate(http_requests_total[1m]))'],
      })
      .exactOptional(),
    freshBy: text('a PromQL selector')
      .meta({
        description: 'A plain selector of what the query is made from: its newest sample says how old the answer is.',
        examples: ['up{job="app"}'],
      })
      .exactOptional(),
    unit: z
      .enum(['ratio', 'ms', 'seconds', 'bytes', 'perSecond', 'count'])
      .default('count')
      .meta({ description: 'What the query’s value is.', examples: ['ratio'] }),
    as: z
      .enum(['cpu', 'memory', 'dbConnections', 'queueDepth'])
      .meta({ description: 'The word of `critical` that the query measures.', examples: ['queueDepth'] })
      .exactOptional(),
    pods: z
      .strictObject({
        namespace: text('a namespace').meta({ description: 'Their namespace.', examples: ['shop'] }),
        name: text('a regular expression')
          .meta({ description: 'Only the pods whose name fits it, as a whole; RE2.', examples: ['app-.*'] })
          .exactOptional(),
        container: text('a container')
          .meta({ description: 'Only this container of them.', examples: ['app'] })
          .exactOptional(),
      })
      .describe('Instead of `query`: CPU, throttling and memory of pods, by cAdvisor’s and kube-state-metrics’ series.')
      .exactOptional(),
    ...pace('15s', '5s'),
  })
  .describe('prometheus: a PromQL query, or the pods of a Kubernetes namespace.');

/** One name, or several that are sources of their own. */
const names = (expected: string, description: string, example: string) =>
  z
    .union([text(expected), z.array(text(expected)).min(1, { error: `expected at least one: ${expected}` })])
    .transform((value) => (Array.isArray(value) ? value : [value]))
    .meta({ description, examples: [example] })
    .exactOptional();

const cloudwatch = z
  .strictObject({
    kind: z
      .literal('cloudwatch')
      .describe('RDS or ElastiCache by CloudWatch: a point a minute, which is right two to three minutes later.'),
    region: text('a region')
      .regex(/^[a-z]{2,}(-[a-z]+)+-\d+$|\$\{/, { error: 'expected a region such as `eu-central-1`' })
      .meta({ description: 'The region of AWS.', examples: ['eu-central-1'] }),
    instance: names('the name of an instance', 'Instances of RDS or Aurora, by their DBInstanceIdentifier.', 'reservations'),
    cluster: names(
      'the name of a cache cluster',
      'Nodes of ElastiCache, by their CacheClusterId: those of a replication group are called `NAME-001` or `NAME-0001-001`.',
      'reservations-001',
    ),
    maxConnections: count()
      .meta({ description: 'With `instance`: its `max_connections`, which CloudWatch does not know.', examples: [400] })
      .exactOptional(),
    memory: size()
      .meta({ description: 'With `instance`: all memory of its class; CloudWatch knows what is free.', examples: ['16GiB'] })
      .exactOptional(),
    credentials: z
      .strictObject({
        accessKeyId: text('an access key').meta({ description: 'The id of an access key.', examples: ['${MONITOR_KEY_ID}'] }),
        secretAccessKey: text('a secret key').meta({ description: 'Its secret.', examples: ['${MONITOR_KEY}'] }),
        sessionToken: text('a session token')
          .meta({ description: 'Its session token, where it has one.', examples: ['${MONITOR_TOKEN}'] })
          .exactOptional(),
      })
      .describe('Only where they are not those that every AWS tool finds: environment, AWS_PROFILE, container, instance.')
      .exactOptional(),
    url: url(['http', 'https'], 'https://vpce-0a1b.monitoring.eu-central-1.vpce.amazonaws.com')
      .describe('Another endpoint than that of the region.')
      .exactOptional(),
    ...pace('1m', '8s'),
  })
  .describe('cloudwatch: an RDS or an ElastiCache by CloudWatch.');

/** Where the servers' metrics come from, by name. */
export const monitors = z
  .record(
    z.string().regex(/^[A-Za-z][\w-]*$/, { error: 'expected a name of letters, digits, `-` and `_`' }),
    z.discriminatedUnion('kind', [postgres, pgbouncer, redis, queue, host, prometheus, cloudwatch]),
  )
  .prefault({})
  .meta({ description: 'Where the servers’ metrics come from, each with a name of your choice; see docs/monitors.md.' });

/** One monitor of a profile. */
export type MonitorConfig = z.output<typeof monitors>[string];
