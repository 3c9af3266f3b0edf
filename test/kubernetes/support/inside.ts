import { connect } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import { forPods } from '../../cluster/target.js';
import { type PostgresServer, startPostgres } from '../../servers/postgres.js';
import { type RedisServer, startRedis } from '../../servers/redis.js';
import { type TestDatabase, testDatabase } from '../../servers/sql.js';
import { startTarget, type Target } from '../../support/target.js';
import { type PodsPlace, type PodsTest, podsPlace } from './conducted.js';

const setup = `
CREATE TABLE users (id text PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE reservations (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text NOT NULL);
INSERT INTO users VALUES ('ann', 'ann@shop.test', 'Ann');
INSERT INTO reservations (user_id) VALUES ('ann'), ('ann');
`;

const script = `import http from 'k6/http';
import { sleep } from 'k6';
export default () => {
  http.post(__ENV.BASE_URL + '/reserve?id=load-test-user-' + __ENV.LOADCTL_RUN + '-' + __VU + '-' + __ITER, null, { tags: { name: 'POST /reserve' } });
  sleep(0.1);
};
`;

/** How the servers are reached: by pods, or by this machine's loopback. */
interface Ways {
  /** Without its password. */
  readonly db: string;
  readonly cache: string;
}

/** What a test of reservations writes, and how it is taken out. */
export const dataWords = ({ db, cache }: Ways) => `
stores:
  db: {kind: postgres, url: "${db}", password: "\${DB_PASSWORD}"}
  cache: {kind: redis, url: "${cache}"}
seed:
  users: {table: db.users, rows: 200, columns: {id: "user-{n}", email: "user{n}@test.com", name: "Test User {n}"}}
  logins: {key: "cache/user:{users.id}", rows: 200, value: {id: "{users.id}"}, ttl: 1h}
cleanup:
  prefix: load-test-user-
  settle: 1s
  rows: [{table: db.reservations, column: user_id}]
  keys: [{match: "cache/user:load-test-user-*"}]
`;

/** A shop in the pod network: its databases are reached there, and by the test itself, but not by loadctl where it is typed. */
export interface Shop extends PodsPlace {
  readonly sql: TestDatabase['sql'];
  /** By this machine's loopback. */
  readonly here: Ways & { readonly target: string };
  /** host:port as the profile has them. */
  readonly inside: readonly string[];
  readonly script: string;
  /** Of the database; in the cluster it is in a Secret, and loadctl does not have it where it is typed. */
  readonly password: string;
}

let postgres: PostgresServer;
let redis: RedisServer;

/** Starts the servers of a file of tests. */
export function withServers(): void {
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  });
  afterAll(async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
  });
}

/** A target that writes a reservation for each request. */
function shopTarget(sql: TestDatabase['sql']): Promise<Target> {
  return startTarget((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop');
    if (pathname !== '/reserve') return false;
    void sql('INSERT INTO reservations (user_id) VALUES ($1)', [searchParams.get('id')]).then(
      () => response.end('{}'),
      () => response.writeHead(500).end(),
    );
    return true;
  });
}

/** Makes a {@link Shop}. */
export async function shop(workload: string, more: Partial<PodsTest> = {}): Promise<Shop> {
  const database = await testDatabase(postgres, setup);
  const target = await shopTarget(database.sql);
  const [db = '', cache = '', web = ''] = await Promise.all([database, redis, target].map(({ url }) => forPods(new URL(url).host)));
  const at = (url: string, host: string) => Object.assign(new URL(url), { host, password: '' }).toString();
  const { password, host } = new URL(database.url);
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'shop' }, stringData: { DB_PASSWORD: password } };
  const place = await podsPlace({
    script,
    workload,
    count: 1,
    hastens: true,
    target: { ...target, url: `http://${web}` },
    kubernetes: 'variables: {secret: shop}',
    objects: [secret],
    ...more,
    profile: dataWords({ db: at(database.url, db), cache: `${at(redis.url, cache)}/2` }),
  });
  const here = { db: at(database.url, host), cache: `${redis.url}/2`, target: target.url };
  return { ...place, sql: database.sql, here, inside: [db, cache], script, password };
}

/** Why this machine cannot connect to host:port; undefined where it can. */
export function whyNot(place: string): Promise<string | undefined> {
  const { hostname, port } = new URL(`tcp://${place}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 2000 });
    const end = (why: string | undefined) => {
      socket.destroy();
      resolve(why);
    };
    socket.once('connect', () => end(undefined)).once('timeout', () => end('timeout'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
