import { createServer } from 'node:http';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { listening } from '../servers/depth-server.js';
import { has, startNodeExporter, startPrometheus } from '../servers/observed.js';
import { hasPgBouncer, startPgBouncer } from '../servers/pgbouncer.js';
import { startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import type { Said } from '../support/loadctl.js';
import { searchFolder, secretSearch, watchCommandLines } from '../support/secret-search.js';
import { outcomesOf, type WatchedPlace, watchedPlace } from '../support/watched-run.js';

/** Each begins and ends with a word of its own, so that no half of it goes unnoticed. */
const secret = {
  database: `dbFirst83kq @:/?#[]%25&'<é>+ dbLast61zp`,
  databaseInUrl: `inUrlFirst5 @:/?#%&+ inUrlLast7`,
  pool: `poolFirst33kq@:/?#poolLast44`,
  cache: `cacheFirst52 @:/?#%&'<>+ cacheLast7w`,
  cacheInUrl: `redisFirst61@:/redisLast9w`,
  queueToken: 'queueToken3f9a.0c52b1de==queueLast1',
  queueLogin: `rabbitFirst8 @:/é100% rabbitLast2`,
  queueQuery: 'queryFirst4@/?& queryLast77',
  machineToken: 'machineToken77ad1/machineLast2',
  machineLogin: `exporterFirst9@/exporterLast4`,
  promToken: 'promToken5521+promLast9',
  promLogin: `promFirst88 %&@ promLast66`,
} as const;
type Name = keyof typeof secret;
const inUrl = (name: Name) => encodeURIComponent(secret[name]);
const basic = (name: Name) => `Basic ${Buffer.from(`ann:${secret[name]}`).toString('base64')}`;
const search = secretSearch(Object.entries(secret).map(([name, text]) => ({ name, text, user: 'ann' })));

/** A door in front of a server that lets in who has the key, and shows everybody else what he brought. */
async function gate(behind: string, key: string): Promise<string> {
  const server = createServer(async (request, response) => {
    const brought = request.headers.authorization ?? '';
    if (brought !== key) return void response.writeHead(401, { 'x-brought': encodeURIComponent(brought) }).end(`not ${brought} but ${key}`);
    const body: Buffer[] = [];
    for await (const piece of request) body.push(piece as Buffer);
    const headers = { 'content-type': request.headers['content-type'] ?? 'text/plain' };
    const asked = { method: request.method ?? 'GET', headers, ...(body.length > 0 && { body: Buffer.concat(body) }) };
    const answer = await fetch(new URL(request.url ?? '/', behind), asked);
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  return `127.0.0.1:${await listening(server)}`;
}

/** What says how much waits, to anybody. */
async function page(): Promise<string> {
  const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end('{"messages_ready": 3}'));
  return `http://127.0.0.1:${await listening(server)}`;
}

async function databases() {
  const db = await startPostgres({});
  onTestFinished(() => db.stop());
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  const roles: [string, Name][] = [
    ['ann', 'database'],
    ['bea', 'databaseInUrl'],
    ['cleo', 'pool'],
  ];
  for (const [role, name] of roles) await client.query(`CREATE ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(secret[name])}`);
  await client.query('CREATE TABLE queue_entries (id int); GRANT SELECT ON queue_entries TO ann');
  await client.end();
  const at = `127.0.0.1:${db.port}/postgres`;
  const pool = new URL(await startPgBouncer(`postgres://cleo:${inUrl('pool')}@${at}`, { mode: 'session', asksPassword: true }));
  return { at, pool: `127.0.0.1:${pool.port}/pgbouncer` };
}

/** A Redis that wants a password, which is not among its arguments. */
async function cacheWith(name: Name): Promise<string> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const client = new Redis(redis.url);
  await client.config('SET', 'requirepass', secret[name]);
  client.disconnect();
  return `127.0.0.1:${redis.port}`;
}

/** Every kind of monitor, each with every secret that it may have; and the variables that hold some of them. */
async function everyKind(): Promise<{ readonly profile: string; readonly variables: Record<string, string> }> {
  const { at, pool } = await databases();
  const [cache, cacheInUrl] = [await cacheWith('cache'), await cacheWith('cacheInUrl')];
  const [exporter, prom, depth] = [await startNodeExporter(), await startPrometheus([]), await page()];
  const byToken = (behind: string, name: Name) => gate(behind, `Bearer ${secret[name]}`);
  const byLogin = async (behind: string, name: Name) => `ann:${inUrl(name)}@${await gate(behind, basic(name))}`;
  const profile = `stores:
  db: {kind: postgres, url: "postgres://ann@${at}", password: "\${DB_PASSWORD}"}
  cache: {kind: redis, url: "redis://${cache}", password: "\${CACHE_PASSWORD}"}
monitors:
  db: {kind: postgres, store: db}
  dbByUrl: {kind: postgres, url: "postgres://bea:${inUrl('databaseInUrl')}@${at}"}
  pool: {kind: pgbouncer, url: "postgres://cleo@${pool}", password: "\${POOL_PASSWORD}"}
  cache: {kind: redis, store: cache}
  cacheByUrl: {kind: redis, url: "redis://:${inUrl('cacheInUrl')}@${cacheInUrl}"}
  rows: {kind: queue, store: db, table: queue_entries}
  list: {kind: queue, store: cache, list: jobs}
  answer: {kind: queue, url: "http://${await byToken(depth, 'queueToken')}/", jsonPath: $.messages_ready, token: "\${QUEUE_TOKEN}"}
  rabbit: {kind: queue, url: "http://${await byLogin(depth, 'queueLogin')}/", jsonPath: $.messages_ready}
  byQuery: {kind: queue, url: "${depth}/?api_key=${inUrl('queueQuery')}", jsonPath: $.messages_ready}
  machine: {kind: host, nodeExporter: ["http://${await byToken(exporter, 'machineToken')}"], token: ${secret.machineToken}}
  behindLogin: {kind: host, nodeExporter: ["http://${await byLogin(exporter, 'machineLogin')}"]}
  prom: {kind: prometheus, url: "http://${await byToken(prom, 'promToken')}", token: "\${PROM_TOKEN}", query: vector(1), every: 1s, timeout: 1s}
  promByLogin: {kind: prometheus, url: "http://${await byLogin(prom, 'promLogin')}", query: vector(1), every: 1s, timeout: 1s}
critical: {memory: <= 100%, queueDepth: < 1000, dbConnections: < 90%, pool.waiting: < 100, prom: < 2, promByLogin: < 2}
abort: [{when: queueDepth > 100000, for: 10s}]`;
  const variables = {
    DB_PASSWORD: secret.database,
    POOL_PASSWORD: secret.pool,
    CACHE_PASSWORD: secret.cache,
    QUEUE_TOKEN: secret.queueToken,
    PROM_TOKEN: secret.promToken,
  };
  return { profile, variables };
}

/** Where secrets were found: on screens, among processes, in files. */
function leaks(at: WatchedPlace, said: readonly Said[], lines: Iterable<string>): string[] {
  const screens = said.flatMap(({ stdout, stderr }) => [...stdout.split('\n'), ...stderr.split('\n')]);
  const told = [...screens, ...lines].flatMap((line) => search(line).map((what) => `${what}: ${line.slice(0, 300)}`));
  return [...told, ...searchFolder(at.folder, search, new Set([join(at.folder, 'profiles', 'dev.yaml')]))];
}

const hasAll = [has('prometheus'), has('prometheus-node-exporter'), hasPgBouncer()].every(Boolean);

test.skipIf(!hasAll)('secrets of every kind of monitor are in no file, event, argument or message', async () => {
  const { profile, variables } = await everyKind();
  const watch = watchCommandLines();
  onTestFinished(() => watch.stop());
  const at = await watchedPlace(profile, '6s');
  const env = { ...at.env, ...variables, LOADCTL_DEBUG: '1' };
  const [dev, said] = [['--env', 'dev'], [] as Said[]];
  const call = async (args: readonly string[], code: number, more: Record<string, string> = {}) => {
    const one = await at.loadctl(args, { ...env, ...more });
    said.push(one);
    expect(one, `${args.join(' ')}\n${one.stdout}\n${one.stderr}`).toMatchObject({ code });
    return one;
  };
  await call(['plan', ...dev], 0);
  await call(['plan', ...dev, '--json'], 0);
  await call(['plan', ...dev, '--out', 'dev.plan'], 0);
  await call(['doctor', ...dev, '--monitors'], 0);
  await call(['run', ...dev, '--json'], 0);
  expect(Object.values(outcomesOf(at.judged()))).toEqual(Array(6).fill('pass'));
  await call(['verify', '--json'], 0);

  // Every source refuses the wrong one, and shows it: neither the wrong one nor the right one is told.
  const wrong = at
    .read('profiles/dev.yaml')
    .replaceAll(/(:\/\/(?:ann|bea)?:)[^@]*%[^@]*@/g, '$1other@')
    .replace(/api_key=[^"]*/, 'api_key=other')
    .replace(secret.machineToken, 'other');
  at.file('profiles/wrong.yaml', wrong);
  const others = Object.fromEntries(Object.keys(variables).map((name) => [name, secret.machineLogin]));
  const looked = await call(['doctor', '--env', 'wrong', '--monitors'], 115, others);
  const monitors =
    profile
      .split('critical:')[0]
      ?.split('monitors:')[1]
      ?.match(/^ {2}\w+(?=:)/gm) ?? [];
  expect(monitors).toHaveLength(14);
  for (const name of monitors) expect(looked.stdout).toContain(name.trim());
  await call(['run', '--env', 'wrong'], 115, others);

  expect([...watch.seen].some((line) => /k6 run /.test(line))).toBe(true);
  expect(leaks(at, said, watch.seen)).toEqual([]);
});
