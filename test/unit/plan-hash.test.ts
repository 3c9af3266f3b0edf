import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readScriptFiles } from '../../src/k6/script-files.js';
import type { Plan } from '../../src/plan/plan.js';
import { inputSchema, type JsonSchema } from '../../src/profile/json-schema.js';
import { diskFiles, loadProfile } from '../../src/profile/load.js';
import { load, planHere } from './profile-files.js';

/** Something of every section; what excludes it is set where it is needed. */
const base = `environment: test
target:
  url: http://127.0.0.1:8080
  health: /healthz
  lookup: {path: "/users/user-{n}", headers: {X-User: "user-{n}"}, status: 200, set: users}
workload:
  script: k6.ts
  vus: 100
  duration: 10m
  ramp: 30s
  pacing: 1s
  endpoints: {home: GET /, work: GET /work}
  mix: {home: 40%, work: 60%}
  sessions: {read: 50%, buy: 50%}
  steps: {read: [read], buy: [read, GET /buy]}
  options: {discardResponseBodies: true}
users: {strategy: pool, from: users.id}
stores:
  db: {kind: postgres, url: "postgres://app@127.0.0.1:5432/shop", tls: {mode: require, ca: ca.pem, certificate: own.pem, key: own.key}}
  cache: {kind: redis, url: "redis://127.0.0.1:6379/0", testDatabase: 1, username: app}
seed:
  users: {table: db.users, rows: 5, columns: {id: "user-{n}"}}
  logins: {key: "cache/user:user-{n}", rows: 5, value: x}
cleanup:
  rows: [{table: db.orders, column: user_id}]
  keys: [{match: "cache/user:load-test-user-*"}]
runners: {count: 2}
sla: {p95: < 500ms, "http_req_duration{name:GET /}": [p(99) < 800ms]}
critical: {cpu: < 80%}
abort: [{when: errors > 5%, for: 30s, after: 1m}]
monitors: {server: {kind: host, here: true}}
outputs: {hook: {kind: webhook, url: http://127.0.0.1:9}}
guards: {allow: [a.example.com], sharedStores: [db]}
`;

const colours = [
  'target.url=null',
  'target.colours={blue: http://127.0.0.1:1, green: http://127.0.0.1:2}',
  'target.live={url: http://127.0.0.1:3, header: x-live}',
];
const command = [...colours.slice(0, 2), 'target.live={command: ./which}'];
const bypass = ['users={strategy: bypass, key: abc}'];
const shards = ['stores.db={kind: postgres, shards: [postgres://127.0.0.1/a, postgres://127.0.0.1/b], shardBy: id % 2}'];
const cluster = ['stores.cache={kind: redis, cluster: ["127.0.0.1:7000"]}'];
const ssh = ['runners={backend: ssh, hosts: [a.example.com], count: 1}'];
const open = ['workload.pacing=null', 'workload.rate=10/s'];
const rows = (words: string) => [`cleanup.rows=[{table: db.orders, column: user_id}, {table: db.bills, ${words}}]`];
const twoTables = [`${rows('column: user_id')[0]?.slice(0, -1)}, {table: db.refunds, via: db.orders}]`];
const keys = (words: string) => [`cleanup.keys=[{${words}}]`];
const secondCache = 'stores.second={kind: redis, url: redis://127.0.0.1/2, testDatabase: 3}';
const accounts = 'seed.accounts={table: db.accounts, rows: 5, columns: {id: "acc-{n}", number: "{n}"}}';

const byUrl = 'kind: postgres, url: postgres://127.0.0.1/a';
const promql = 'kind: prometheus, url: http://127.0.0.1:9, query: up';
const rds = 'kind: cloudwatch, region: eu-central-1, instance: shop';
const waiting = 'kind: queue, store: db, table: jobs';
const inRedis = 'kind: queue, store: cache';

/** The words of a monitor, each with two values and the words around it; a word in there is replaced. */
const monitorWords: readonly (readonly [word: string, one: string, other: string, around: string])[] = [
  ['kind', 'postgres', 'redis', 'store: same'],
  ['store', 'db', 'other', 'kind: postgres'],
  ['url', 'postgres://127.0.0.1/a', 'postgres://127.0.0.1/b', 'kind: postgres'],
  ['every', '2s', '3s', byUrl],
  ['timeout', '500ms', '600ms', byUrl],
  ['required', 'true', 'false', byUrl],
  ['database', 'a', 'b', 'kind: pgbouncer, url: postgres://127.0.0.1/pgbouncer'],
  ['table', 'jobs', 'work', 'kind: queue, store: db'],
  ['where', 'a', 'b', waiting],
  ['age', 'made_at', 'came_at', waiting],
  ['list', 'a', 'b', inRedis],
  ['list.#', '[a]', '[b]', inRedis],
  ['zset', 'a', 'b', inRedis],
  ['zset.#', '[a]', '[b]', inRedis],
  ['stream', 'a', 'b', `${inRedis}, group: g`],
  ['group', 'a', 'b', `${inRedis}, stream: s`],
  ['jsonPath', '$.a', '$.b', 'kind: queue, url: http://127.0.0.1:9'],
  ['nodeExporter.#', '[http://127.0.0.1:9]', '[http://127.0.0.1:8]', 'kind: host'],
  ['here', 'true', '[db]', 'kind: host'],
  ['here.#', '[db]', '[cache]', 'kind: host'],
  ['cgroup', '/a', '/b', 'kind: host'],
  ['cgroup.#', '[/a]', '[/b]', 'kind: host'],
  ['query', 'up', 'down', 'kind: prometheus, url: http://127.0.0.1:9'],
  ['freshBy', 'up', 'down', promql],
  ['unit', 'ratio', 'count', promql],
  ['as', 'cpu', 'memory', promql],
  ['pods.namespace', '{namespace: a}', '{namespace: b}', 'kind: prometheus, url: http://127.0.0.1:9'],
  ['pods.name', '{namespace: a, name: a}', '{namespace: a, name: b}', 'kind: prometheus, url: http://127.0.0.1:9'],
  ['pods.container', '{namespace: a, container: a}', '{namespace: a, container: b}', 'kind: prometheus, url: http://127.0.0.1:9'],
  ['ssh.#', '[a.example.com]', '[b.example.com]', 'kind: host'],
  ['region', 'eu-central-1', 'eu-central-2', 'kind: cloudwatch, instance: a'],
  ['instance.#', '[a]', '[b]', 'kind: cloudwatch, region: eu-central-1'],
  ['instance', 'a', 'b', 'kind: cloudwatch, region: eu-central-1'],
  ['cluster.#', '[a]', '[b]', 'kind: cloudwatch, region: eu-central-1'],
  ['cluster', 'a', 'b', 'kind: cloudwatch, region: eu-central-1'],
  ['maxConnections', '100', '200', rds],
  ['memory', '8GiB', '16GiB', rds],
];

const influx = 'kind: influxdb, url: http://127.0.0.1:9';
const prometheus = 'kind: prometheus, url: http://127.0.0.1:9';

/** The words of outputs, each with two values and the words around it. */
const outputWords: readonly (readonly [word: string, one: string, other: string, around: string])[] = [
  ['database', 'a', 'b', influx],
  ['bucket', 'a', 'b', `${influx}, token: t`],
  ['org', 'a', 'b', `${influx}, token: t, bucket: a`],
  ['families.#', '[loadctl]', '[k6]', influx],
  ['maxPoints', '1', '2', influx],
  ['weight', '1', '2', influx],
  ['query', 'http://127.0.0.1:8', 'http://127.0.0.1:7', prometheus],
  ['histograms', 'native', 'none', prometheus],
  ['stats.#', '["p(95)"]', '[med]', prometheus],
  ['every', '1s', '2s', prometheus],
  ['dashboard', 'a', 'b', 'kind: grafana, url: http://127.0.0.1:9'],
  ['channel', 'a', 'b', 'kind: slack, token: t'],
  ['api', 'http://127.0.0.1:8', 'http://127.0.0.1:7', 'kind: slack, token: t, channel: a'],
];

/** Two monitors that differ in one word, and a second store of each kind. */
function given(word: string, one: string, other: string, around: string): [one: string, other: string, besides: string[]] {
  const [name] = word.split('.');
  const monitor = (value: string) =>
    `{${around.replace('store: same', `store: ${value === 'redis' ? 'cache' : 'db'}`)}, ${name}: ${value.startsWith('$') ? `"${value}"` : value}}`;
  return [monitor(one), monitor(other), ['stores.other={kind: postgres, url: postgres://127.0.0.1/o}']];
}

const pods = ['runners.kubernetes={image: a}'];
const inCloud = ['runners.cloud={token: a, stack: 1, project: 2}'];

/** Every word of a profile, with two values that it may have, and what else the profile says where it may not stand alone. */
const words: Readonly<Record<string, readonly [path: string, one: string, other: string, besides?: readonly string[]]>> = {
  'abort.#.after': ['abort.0.after', '1m', '2m'],
  'abort.#.for': ['abort.0.for', '30s', '20s'],
  'abort.#.when': ['abort.0.when', 'errors > 5%', 'errors > 6%'],
  'cleanup.keys.#.everything': ['cleanup.keys.0.everything', 'true', 'false'],
  'cleanup.keys.#.flush': ['cleanup.keys.0.flush', 'cache', 'second', [...keys('flush: cache'), secondCache]],
  'cleanup.keys.#.key': ['cleanup.keys.0.key', 'cache/queue:a', 'cache/queue:b', keys('key: cache/queue:a, members: load-test-user-*')],
  'cleanup.keys.#.match': ['cleanup.keys.0.match', 'cache/user:load-test-user-*', 'cache/some:load-test-user-*'],
  'cleanup.keys.#.members': [
    'cleanup.keys.0.members',
    'load-test-user-a*',
    'load-test-user-b*',
    keys('key: cache/queue:a, members: load-test-user-*'),
  ],
  'cleanup.keys.#.where.in': ['cleanup.keys.0.where', '{json: a, in: users.id}', '{json: a, in: accounts.id}', [accounts]],
  'cleanup.keys.#.where.json': ['cleanup.keys.0.where', '{json: a, in: users.id}', '{json: b, in: users.id}'],
  'cleanup.pause': ['cleanup.pause', '50ms', '60ms'],
  'cleanup.prefix': ['cleanup.prefix', 'load-test-user-', 'load-test-'],
  'cleanup.rows.#.column': ['cleanup.rows.0.column', 'user_id', 'owner'],
  'cleanup.rows.#.in': ['cleanup.rows.1.in', 'accounts.id', 'accounts.number', [accounts, ...rows('column: id, in: users.id')]],
  'cleanup.rows.#.table': ['cleanup.rows.0.table', 'db.orders', 'db.bills'],
  'cleanup.rows.#.uuid': ['cleanup.rows.1.uuid', 'load-test', 'load-tests', rows('column: id, uuid: load-test')],
  'cleanup.rows.#.via': ['cleanup.rows.2.via', 'db.orders', 'db.bills', twoTables],
  'cleanup.settle': ['cleanup.settle', '1s', '2s'],
  'cleanup.wait': ['cleanup.wait', '1s', '2s'],
  'critical.*': ['critical.cpu', '< 80%', '< 81%'],
  'critical.*.for': ['critical.cpu', '{limit: < 80%, for: 10s}', '{limit: < 80%, for: 11s}'],
  'critical.*.limit': ['critical.cpu', '{limit: < 80%, for: 10s}', '{limit: < 81%, for: 10s}'],
  environment: ['environment', 'test', 'tests'],
  'guards.allow.#': ['guards.allow.0', 'a.example.com', 'b.example.com'],
  'guards.confirm': ['guards.confirm', 'true', 'false'],
  guards: ['guards', 'production', '{level: production, maxVus: 100}'],
  'guards.level': ['guards.level', 'production', 'null'],
  'guards.maxDuration': ['guards.maxDuration', '10m', '11m'],
  'guards.maxRate': ['guards.maxRate', '100/s', '101/s'],
  'guards.maxVuHours': ['guards.maxVuHours', '10', '11'],
  'guards.maxVus': ['guards.maxVus', '100', '101'],
  'guards.receipt': ['guards.receipt', 'count', 'full'],
  'guards.sharedStores.#': ['guards.sharedStores.0', 'db', 'cache'],
  ...Object.fromEntries(
    monitorWords.map(([word, one, other, base]) => [`monitors.*.${word}`, ['monitors.m', ...given(word, one, other, base)]]),
  ),
  'outputs.*.kind': ['outputs.hook', '{kind: slack, webhook: http://127.0.0.1:9}', '{kind: teams, webhook: http://127.0.0.1:9}'],
  'outputs.*.url': ['outputs.hook.url', 'http://127.0.0.1:9', 'http://127.0.0.1:8'],
  'outputs.*.webhook': ['outputs.chat', '{kind: slack, webhook: http://127.0.0.1:9}', '{kind: slack, webhook: http://127.0.0.1:8}'],
  'outputs.*.on.#': ['outputs.hook.on', '[breach]', '[passed]'],
  ...Object.fromEntries(
    outputWords.map(([word, one, other, around]) => [
      `outputs.*.${word}`,
      ['outputs.o', ...[one, other].map((value) => `{${around}, ${word.split('.')[0]}: ${value}}`)] as [string, string, string],
    ]),
  ),
  'runners.allowedLoss': ['runners.allowedLoss', '10%', '11%', ['runners.onLost=continue']],
  'runners.backend': ['runners.backend', 'local', 'ssh', ['runners.hosts=[127.0.0.1]']],
  'runners.count': ['runners.count', '2', '3'],
  'runners.hostK6': ['runners.hostK6', 'bring', '/opt/k6', ssh],
  'runners.hosts.#': ['runners.hosts.0', 'a.example.com', 'b.example.com', ssh],
  'runners.k6': ['runners.k6', './k6', './other-k6'],
  'runners.keep': ['runners.keep', 'true', 'false', ssh],
  'runners.cloud.awayTimeout': ['runners.cloud.awayTimeout', '1m', '2m', inCloud],
  'runners.cloud.env.#': ['runners.cloud.env', '[BASE_URL]', '[LOADCTL_RUN]', inCloud],
  'runners.cloud.host': ['runners.cloud.host', 'https://one.example.com', 'https://two.example.com', inCloud],
  'runners.cloud.name': ['runners.cloud.name', 'one', 'two', inCloud],
  'runners.cloud.project': ['runners.cloud.project', '2', '3', inCloud],
  'runners.cloud.stack': ['runners.cloud.stack', '1', '2', inCloud],
  'runners.cloud.zones.*': ['runners.cloud.zones', '{a: 100%}', '{b: 100%}', inCloud],
  'runners.kubernetes.annotations.*': ['runners.kubernetes.annotations', '{a: "1"}', '{a: "2"}', pods],
  'runners.kubernetes.image': ['runners.kubernetes.image', 'loadctl:1', 'loadctl:2', pods],
  'runners.kubernetes.labels.*': ['runners.kubernetes.labels', '{a: "1"}', '{a: "2"}', pods],
  'runners.kubernetes.namespace': ['runners.kubernetes.namespace', 'one', 'two', pods],
  'runners.kubernetes.nodeSelector.*': ['runners.kubernetes.nodeSelector', '{a: "1"}', '{a: "2"}', pods],
  'runners.kubernetes.patch.runner.*': ['runners.kubernetes.patch.runner', '{hostNetwork: true}', '{hostNetwork: false}', pods],
  'runners.kubernetes.patch.conductor.*': ['runners.kubernetes.patch.conductor', '{hostNetwork: true}', '{hostNetwork: false}', pods],
  'runners.kubernetes.egress': ['runners.kubernetes.egress', 'pod', 'nat', pods],
  'runners.kubernetes.conductor.cpu': ['runners.kubernetes.conductor.cpu', '1', '2', pods],
  'runners.kubernetes.conductor.memory': ['runners.kubernetes.conductor.memory', '1Gi', '2Gi', pods],
  'runners.kubernetes.pullSecrets.#': ['runners.kubernetes.pullSecrets', '[a]', '[b]', pods],
  'runners.kubernetes.resources.cpu': ['runners.kubernetes.resources.cpu', '1', '2', pods],
  'runners.kubernetes.resources.memory': ['runners.kubernetes.resources.memory', '1Gi', '2Gi', pods],
  'runners.kubernetes.spread': ['runners.kubernetes.spread', 'one', 'two', pods],
  'runners.kubernetes.tolerations.#.effect': ['runners.kubernetes.tolerations', '[{effect: NoExecute}]', '[{effect: NoSchedule}]', pods],
  'runners.kubernetes.tolerations.#.key': ['runners.kubernetes.tolerations', '[{key: a}]', '[{key: b}]', pods],
  'runners.kubernetes.tolerations.#.operator': ['runners.kubernetes.tolerations', '[{operator: Exists}]', '[{operator: Equal}]', pods],
  'runners.kubernetes.tolerations.#.tolerationSeconds': [
    'runners.kubernetes.tolerations',
    '[{tolerationSeconds: 1}]',
    '[{tolerationSeconds: 2}]',
    pods,
  ],
  'runners.kubernetes.tolerations.#.value': ['runners.kubernetes.tolerations', '[{value: a}]', '[{value: b}]', pods],
  'runners.kubernetes.keepFor': ['runners.kubernetes.keepFor', '1h', '2h', pods],
  'runners.kubernetes.phases': ['runners.kubernetes.phases', 'cluster', 'here', pods],
  'runners.kubernetes.onClientLost': ['runners.kubernetes.onClientLost', 'continue', 'stop after 60s', pods],
  'runners.kubernetes.serviceAccount': ['runners.kubernetes.serviceAccount', 'a', 'b', pods],
  'runners.kubernetes.variables.secret': ['runners.kubernetes.variables.secret', 'a', 'b', pods],
  'runners.onLost': ['runners.onLost', 'abort', 'continue'],
  'runners.readyTimeout': ['runners.readyTimeout', '60s', '61s'],
  'runners.sshConfig': ['runners.sshConfig', './one', './two', ssh],
  'seed.*.as': ['seed.logins.as', 'text', 'json'],
  'seed.*.columns.*': ['seed.users.columns.id', 'user-{n}', 'person-{n}'],
  'seed.*.key': ['seed.logins.key', 'cache/user:user-{n}', 'cache/person:user-{n}'],
  'seed.*.random': ['seed.users.random', '1', '2'],
  'seed.*.rows': ['seed.users.rows', '5', '6'],
  'seed.*.shardBy': ['seed.users.shardBy', 'id', 'name', [...shards, 'seed.users.columns={id: "user-{n}", name: "user-{n}"}']],
  'seed.*.table': ['seed.users.table', 'db.users', 'db.people'],
  'seed.*.ttl': ['seed.logins.ttl', '1h', '2h'],
  'seed.*.value': ['seed.logins.value', 'x', 'y'],
  'seed.*.value.#': ['seed.logins.value', '[1]', '[2]'],
  'seed.*.value.*': ['seed.logins.value', '{a: 1}', '{a: 2}'],
  'sla.*': ['sla.p95', '< 500ms', '< 501ms'],
  'sla.*.#': ['sla.p99', '[< 800ms, < 900ms]', '[< 800ms, < 901ms]'],
  'stores.*.auth.iam.region': ['stores.db.auth', '{iam: {region: a, user: app}}', '{iam: {region: b, user: app}}'],
  'stores.*.auth.iam.user': [
    'stores.db.auth',
    '{iam: {region: a, user: app}}',
    '{iam: {region: a, user: ops}}',
    ['stores.db.url=postgres://127.0.0.1/shop'],
  ],
  'stores.*.cluster.#': ['stores.cache.cluster.0', '"127.0.0.1:7000"', '"127.0.0.1:7001"', cluster],
  'stores.*.kind': ['stores.second', '{kind: postgres, url: postgres://127.0.0.1/x}', '{kind: redis, url: redis://127.0.0.1/2}'],
  'stores.*.replica': ['stores.db.replica', 'postgres://127.0.0.1/r', 'postgres://127.0.0.1/s'],
  'stores.*.replicas.#': [
    'stores.db.replicas',
    '[postgres://127.0.0.1/r, postgres://127.0.0.1/s]',
    '[postgres://127.0.0.1/r, postgres://127.0.0.1/t]',
    shards,
  ],
  'stores.*.shardBy': ['stores.db.shardBy', 'id % 2', 'crc32(id) % 2', shards],
  'stores.*.shardBy.column': [
    'stores.db.shardBy',
    '{column: id, sql: key}',
    '{column: name, sql: key}',
    [...shards, 'seed.users.columns={id: "user-{n}", name: "user-{n}"}'],
  ],
  'stores.*.shardBy.sql': ['stores.db.shardBy', '{column: id, sql: key}', '{column: id, sql: length(key)}', shards],
  'stores.*.shards.#': ['stores.db.shards.0', 'postgres://127.0.0.1/a', 'postgres://127.0.0.1/c', shards],
  'stores.*.testDatabase': ['stores.cache.testDatabase', '1', '2'],
  'stores.*.tls.ca': ['stores.db.tls.ca', 'ca.pem', 'other.pem'],
  'stores.*.tls.certificate': ['stores.db.tls.certificate', 'own.pem', 'other.pem'],
  'stores.*.tls.key': ['stores.db.tls.key', 'own.key', 'other.key'],
  'stores.*.tls.mode': ['stores.db.tls.mode', 'require', 'verify-full'],
  'stores.*.url': ['stores.db.url', 'postgres://app@127.0.0.1:5432/shop', 'postgres://app@127.0.0.1:5432/other'],
  'stores.*.username': ['stores.cache.username', 'app', 'ops'],
  'target.colours.blue': ['target.colours.blue', 'http://127.0.0.1:1', 'http://127.0.0.1:9', colours],
  'target.colours.green': ['target.colours.green', 'http://127.0.0.1:2', 'http://127.0.0.1:9', colours],
  'target.health': ['target.health', '/healthz', '/ready'],
  'target.live.command': ['target.live.command', './which', './whoever', command],
  'target.live.every': ['target.live.every', '5s', '6s', colours],
  'target.live.header': ['target.live.header', 'x-live', 'x-colour', colours],
  'target.live.jsonPath': ['target.live', '{url: http://127.0.0.1:3, jsonPath: $.a}', '{url: http://127.0.0.1:3, jsonPath: $.b}', colours],
  'target.live.url': ['target.live.url', 'http://127.0.0.1:3', 'http://127.0.0.1:4', colours],
  'target.lookup.headers.*': ['target.lookup.headers.X-User', 'user-{n}', 'person-{n}'],
  'target.lookup.path': ['target.lookup.path', '/users/user-{n}', '/people/user-{n}'],
  'target.lookup.status': ['target.lookup.status', '200', '204'],
  'target.lookup.set': ['target.lookup.set', 'users', 'accounts', [accounts]],
  'target.url': ['target.url', 'http://127.0.0.1:8080', 'http://127.0.0.1:8081'],
  'users.expires': ['users.expires', '2h', '3h', bypass],
  'users.header': ['users.header', 'x-one', 'x-two', bypass],
  'users.from': ['users.from', 'users.id', 'accounts.id', [accounts]],
  'users.strategy': ['users', '{strategy: pool, from: users.id}', '{strategy: bypass, key: abc}'],
  'workload.duration': ['workload.duration', '10m', '11m'],
  'workload.endpoints.*': ['workload.endpoints.home', 'GET /', 'GET /home'],
  'workload.env.*': ['workload.env.FEATURE', '"on"', '"off"'],
  'workload.mix.*': ['workload.mix', '{home: 40%, work: 60%}', '{home: 60%, work: 40%}'],
  'workload.options.*': ['workload.options.discardResponseBodies', 'true', 'false'],
  'workload.outputs.#': ['workload.outputs', '[json=a.json]', '[csv=a.csv]'],
  'workload.pacing': ['workload.pacing', '1s', '2s'],
  'workload.ramp': ['workload.ramp', '30s', '31s'],
  'workload.scale': [
    'workload.scale',
    '10%',
    '20%',
    ['workload.vus=null', 'workload.duration=null', 'workload.ramp=null', 'workload.pacing=null'],
  ],
  'workload.rate': ['workload.rate', '10/s', '11/s', open],
  'workload.script': ['workload.script', 'profiles/k6.ts', 'profiles/other.ts'],
  'workload.sessions.*': ['workload.sessions', '{read: 50%, buy: 50%}', '{read: 40%, buy: 60%}'],
  'workload.steady': ['workload.steady', '30s..9m', '30s..8m'],
  'workload.steps.*.#': ['workload.steps.buy', '[read, GET /buy]', '[read, GET /pay]'],
  'workload.vus': ['workload.vus', '100', '101'],
};

/** Secrets, of which a hash says nothing: a plan can be made by somebody who has none. Nor of what a machine calls a cluster. */
const secrets: typeof words = {
  'runners.kubernetes.context': ['runners.kubernetes.context', 'prod', 'production', pods],
  'runners.cloud.token': ['runners.cloud.token', 'abc', 'def', inCloud],
  'users.key': ['users.key', 'abc', 'def', bypass],
  'stores.*.password': ['stores.cache.password', 'abc', 'def'],
  'monitors.*.password': ['monitors.m.password', 'abc', 'def', [`monitors.m={${byUrl}}`]],
  ...Object.fromEntries(
    ['accessKeyId', 'secretAccessKey', 'sessionToken'].map((word) => [
      `monitors.*.credentials.${word}`,
      [`monitors.m.credentials.${word}`, 'abc', 'def', [`monitors.m={${rds}, credentials: {accessKeyId: a, secretAccessKey: b}}`]],
    ]),
  ),
  'monitors.*.token': ['monitors.m.token', 'abc', 'def', [`monitors.m={${promql}}`]],
  'outputs.*.secret': ['outputs.hook.secret', 'abcd', 'efgh'],
  'outputs.*.token': ['outputs.i.token', 'abc', 'def', [`outputs.i={${influx}, token: a}`]],
  'outputs.*.routingKey': ['outputs.page.routingKey', 'abc', 'def', ['outputs.page={kind: pagerduty, routingKey: a}']],
};

/** A profile that is extended is in the one that extends it; a name says nothing. */
const nowhere = ['extends'];

const planWith = (set: readonly string[]): Plan => planHere(load({ 'test.yaml': base, 'other.ts': '' }, { set }));

describe('the hash of a plan', () => {
  test('is tried with every word that a profile has', () => {
    expect([...Object.keys(words), ...Object.keys(secrets), ...nowhere].sort()).toEqual([...wordsOf(inputSchema())].sort());
  });

  test.each(Object.entries(words))('is another one for another %s', (_, [path, one, other, besides = []]) => {
    const [before, after] = [one, other].map((value) => planWith([...besides, `${path}=${value}`]).hash);
    expect(before).not.toBe(after);
  });

  test.each(Object.entries(secrets))('says nothing of %s', (_, [path, one, other, besides = []]) => {
    const [before, after] = [one, other].map((value) => planWith([...besides, `${path}=${value}`]));
    expect(before).toEqual(after);
  });
});

test('a variable of the script that a Secret of the cluster answers does not change the plan', () => {
  const profile = (variables: string) =>
    `target: {url: "http://192.0.2.1"}\nworkload: {script: k6.ts, env: {STOCK: "\${STOCK}"}}\nrunners: {backend: kubernetes, kubernetes: {image: x${variables}}}\n`;
  const hash = (text: string, env: Record<string, string>, secrets: 'here' | 'required') =>
    planHere(load({ 'test.yaml': text }, { env, secrets })).hash;
  const answered = profile(', variables: {secret: shop}');
  expect(hash(answered, {}, 'here')).toBe(hash(answered, { STOCK: '7' }, 'required'));
  expect(hash(profile(''), { STOCK: '8' }, 'here')).not.toBe(hash(profile(''), { STOCK: '7' }, 'required'));
});

/** The ways to all values of a schema: `*` is any name, `#` any place in a list. */
function wordsOf(schema: JsonSchema, path: readonly string[] = []): Set<string> {
  const { properties = {}, additionalProperties, items, anyOf = [], oneOf = [] } = schema;
  const named = Object.entries(properties).map(([name, inner]) => [inner, [...path, name]] as const);
  const any = typeof additionalProperties === 'object' ? [[additionalProperties, [...path, '*']] as const] : [];
  const listed = items === undefined ? [] : [[items, [...path, '#']] as const];
  const below = [...[...anyOf, ...oneOf].map((inner) => [inner, path] as const), ...named, ...any, ...listed];
  return below.length === 0 ? new Set([path.join('.')]) : new Set(below.flatMap(([inner, way]) => [...wordsOf(inner, way)]));
}

/** A project on the disk, as two people have it. */
const project = {
  'profiles/test.yaml': `target: {colours: {blue: http://127.0.0.1:1, green: http://127.0.0.1:2}, live: {command: "\${HOME}/bin/which \${PROJECT}/colours"}}
workload: {script: ../k6/main.js, vus: 1, duration: 1s}
stores: {db: {kind: postgres, url: "postgres://127.0.0.1/x", tls: {mode: verify-full, ca: "\${HOME}/certificates/ca.pem"}}}
runners: {backend: ssh, hosts: [a.example.com], k6: "\${PROJECT}/bin/k6", sshConfig: "\${HOME}/.ssh/load"}
guards: {sharedStores: [db]}
`,
  'k6/main.js': "import './lib.js';\nconst hosts = open('/etc/hosts');\nconst shared = open('../shared.json');",
  'k6/lib.js': '',
  'shared.json': '{}',
};

/** Writes the project into a folder of its own, at a depth of its own, and plans it as somebody with another home. */
function plannedIn(place: string, home: string, set: readonly string[] = []): Plan {
  const folder = join(mkdtempSync(join(tmpdir(), 'loadctl-hash-')), place);
  onTestFinished(() => rmSync(folder.slice(0, folder.length - place.length), { recursive: true }));
  for (const [name, text] of Object.entries(project)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const options = { cwd: folder, home, env: { HOME: home, PROJECT: folder }, files: diskFiles, secrets: 'required', set } as const;
  const loaded = loadProfile({ environment: 'test' }, options);
  return planHere(loaded, readScriptFiles(loaded.profile.workload.script));
}

describe('the same project', () => {
  const here = (set: readonly string[] = []) => plannedIn('one', '/home/ann', set);

  test('has the same hash in another folder and under another home', () => {
    const plan = here();
    expect(plan.scriptFiles.map(({ file }) => file)).toEqual(['main.js', 'lib.js', '/etc/hosts', '../shared.json']);
    expect(plannedIn('another/and/deeper', '/Users/bob').hash).toBe(plan.hash);
    expect(plannedIn('one', homedir()).hash).toBe(plan.hash);
  });

  test('has another one where another file is meant, wherever it lies', () => {
    const others = [
      'runners.sshConfig=/home/ann/.ssh/other',
      'runners.sshConfig=/home/annabel/.ssh/load',
      'runners.sshConfig=.ssh/load',
      'runners.k6=/usr/bin/k6',
      'stores.db.tls.ca=/etc/ssl/ca.pem',
      'target.live.command=/home/ann/bin/which',
    ].map((set) => here([set]).hash);
    expect(new Set([here().hash, ...others]).size).toBe(others.length + 1);
  });

  test('may name a file of its own by its whole path', () => {
    const hash = (place: string) => {
      const folder = join(mkdtempSync(join(tmpdir(), 'loadctl-hash-')), place);
      onTestFinished(() => rmSync(dirname(folder), { recursive: true }));
      mkdirSync(folder);
      cpSync(new URL('../../profiles', import.meta.url).pathname, join(folder, 'profiles'), { recursive: true });
      writeFileSync(join(folder, 'k6.js'), '');
      const set = [`workload.script=${join(folder, 'k6.js')}`];
      const loaded = loadProfile({ environment: 'dev' }, { cwd: folder, env: {}, files: diskFiles, secrets: 'optional', set });
      return planHere(loaded, readScriptFiles(loaded.profile.workload.script)).hash;
    };
    expect(hash('a')).toBe(hash('b'));
  });
});
