import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { typedCommands } from '../../src/commands/table.js';
import { makeCertificates } from '../servers/certificates.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { asRole, testDatabase } from '../servers/sql.js';
import { canMakeHosts, startHosts } from '../servers/ssh-hosts.js';
import { type Said, type Workplace, workplace } from '../support/loadctl.js';
import { type Secret, searchFolder, secretSearch, watchCommandLines } from '../support/secret-search.js';
import { startTarget, type Target } from '../support/target.js';

const passphrase = `passFirst19 "of a key" passLast45`;
const clientKey = makeClientKey();

/** A key that k6 needs the passphrase for, and its certificate. */
function makeClientKey() {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-key-'));
  try {
    makeCertificates(folder, [{ name: 'client', hosts: ['IP:127.0.0.1'] }]);
    const encrypt = ['rsa', '-in', 'client.key', '-aes256', '-traditional', '-passout', 'env:PASSPHRASE'];
    const key = execFileSync('openssl', encrypt, {
      cwd: folder,
      stdio: 'pipe',
      encoding: 'utf8',
      env: { ...process.env, PASSPHRASE: passphrase },
    });
    return { key, certificate: readFileSync(join(folder, 'client.pem'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Each begins and ends with a word of its own, so that no half of it goes unnoticed. */
const secret = {
  database: `dbFirst83kq @:/?#[]%25&"'\\<é>+ dbLast61zp`,
  replica: `replicaFirst4@/replicaLast92`,
  cache: `cacheFirst52 @:/?#%&"'\\<>+ cacheLast7w`,
  target: `targetFirst9 @:/?#%&"'<>+ targetLast3`,
  health: `healthToken77ad1 &=+/healthLast2`,
  lookupKey: `lookupKey5521 &=+/lookupLast9`,
  bearer: 'bearerToken3f9a.0c52b1de==bearerLast1',
  apiKey: 'headerKey88x"\'\\headerLast4',
  cookie: 'cookieWord61=; cookieLast28',
  bypass: `bypassKey90ab"'\\ $HOME;bypassLast55`,
  shop: `shopFirst41 "quoted" it's <b>&amp; 100% \\n $HOME;shopLast08`,
  pem: '-----BEGIN EC PRIVATE KEY-----\npemFirstLine11AAAA\npemSecondLine22BBBB\n-----END EC PRIVATE KEY-----\n',
  passphrase,
  clientKey: clientKey.key,
  feed: 'feedToken1177/+feedLast66==',
  metric: 'metricWord4455',
  seeded: `seededToken31 "x" seededLast17`,
  monitor: 'monitorWord73&monitorLast5',
  output: 'outputToken62/outputLast8',
  typed: `typedWord12=a b"c'typedLast34`,
  set: `setWord5678 "q" setLast9012`,
  inherited: `inheritedWord3 & inheritedLast4`,
  ci: 'ciWord1234-ciLast567',
  initial: 'initialWord8 @/initialLast6',
} as const;

const users: Partial<Record<keyof typeof secret, string>> = { target: 'ann', database: 'app', monitor: 'mon', initial: 'ann' };
const secrets: Secret[] = Object.entries(secret).map(([name, text]) => {
  const user = users[name as keyof typeof secret];
  return { name, text, ...(user === undefined ? {} : { user }) };
});
const search = secretSearch(secrets);
const inUrl = encodeURIComponent;
const quoted = JSON.stringify;

let postgres: PostgresServer;
let redis: RedisServer;
let watch: ReturnType<typeof watchCommandLines>;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`CREATE ROLE app SUPERUSER LOGIN PASSWORD ${pg.escapeLiteral(secret.database)}`);
  await client.end();
  const open = new Redis(redis.url);
  await open.config('SET', 'requirepass', secret.cache); // by its command line everybody would know it
  open.disconnect();
  watch = watchCommandLines();
});
afterAll(async () => {
  watch.stop();
  await Promise.all([postgres.stop(), redis.stop()]);
});

/** Calls loadctl in one place, and keeps what it says. */
interface Listening {
  readonly place: Workplace;
  call(args: readonly string[], code: number, env?: Record<string, string>): Promise<Said>;
  start(args: readonly string[], env?: Record<string, string>): ReturnType<Workplace['start']>;
  /** What was found: on screens, among processes, in files that loadctl or k6 wrote, be they temporary. */
  leaks(): string[];
}

/** Command lines that hold what was typed there by the test itself. */
const typedLines = new Set<string>();

function listen(files: Record<string, string>, given: Record<string, string> = {}): Listening {
  const place = workplace({ ...files, 'tmp/.keep': '' });
  const said: Said[] = [];
  const own = new Set(Object.keys(files).map((name) => join(place.folder, name)));
  const env = { ...given, TMPDIR: join(place.folder, 'tmp'), NODE_DISABLE_COMPILE_CACHE: '1' };
  const start: Listening['start'] = (args, more = {}) => {
    typedLines.add(args.join(' '));
    const started = place.start(args, { ...env, ...more });
    return {
      ...started,
      said: started.said.then((all) => {
        said.push(all);
        return all;
      }),
    };
  };
  return {
    place,
    start,
    async call(args, code, more) {
      const all = await start(args, more).said;
      expect(all, `${args.join(' ')}\n${all.stdout}\n${all.stderr}`).toMatchObject({ code });
      return all;
    },
    leaks() {
      const screens = said.flatMap(({ stdout, stderr }) => [...stdout.split('\n'), ...stderr.split('\n'), stdout + stderr]);
      const processes = [...watch.seen].filter((line) => ![...typedLines].some((typed) => line.endsWith(`loadctl.js ${typed}`)));
      const lines = [...screens, ...processes].flatMap((line) => search(line).map((what) => `${what}: ${line.slice(0, 500)}`));
      return [...lines, ...searchFolder(place.folder, search, own)];
    },
  };
}

test('the search finds what is there: in every spelling, in files and archives, among processes', async () => {
  const spelled = [
    secret.database,
    `postgres://app:${inUrl(secret.database)}@127.0.0.1`,
    quoted({ password: secret.database }),
    `Basic ${Buffer.from(`ann:${secret.target}`).toString('base64')}`,
    'only dbLast61zp of it',
  ];
  for (const text of spelled) expect(search(`before ${text} after`), text).not.toEqual([]);
  expect(search('nothing of the kind: 127.0.0.1, app, ann, password, BEGIN, -----')).toEqual([]);

  const { place, leaks } = listen({ 'profiles/mine.yaml': secret.shop });
  expect(leaks()).toEqual([]);
  place.file('.loadctl/runs/x/test.tar', `\0\0${secret.shop}\0`);
  expect(leaks()).toContainEqual(expect.stringMatching(/test\.tar: shop/));
  writeFileSync(place.file('.loadctl/runs/x/test.tar', ''), gzipSync(secret.shop));
  expect(leaks()).toContainEqual(expect.stringMatching(/test\.tar: shop/));

  const planted = `loadctl-planted-${process.pid}`;
  const child = spawn('sh', ['-c', 'read line', planted]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await expect.poll(() => [...watch.seen].some((line) => line.includes(planted))).toBe(true);
});

/** Says its secrets wherever a script can: in its log, its names, its errors, its answers. */
const talkative = `
import http from 'k6/http';
import exec from 'k6/execution';
import { check, group, sleep } from 'k6';
import { Counter } from 'k6/metrics';
const names = ['BASE_URL', 'LOADCTL_BYPASS_KEY', 'SHOP_PASSWORD', 'PEM', 'FEED', 'TYPED_TOKEN', 'SET_PASSWORD', 'INHERITED'];
const words = names.map((name) => __ENV[name]).filter((word) => word !== undefined);
const counted = new Counter('count_' + __ENV.METRIC);
export const options = { tags: { word: words.join(' ') }, userAgent: 'k6 ' + __ENV.FEED, thresholds: { ['http_reqs{word:' + __ENV.METRIC + '}']: ['count>=0'] } };
console.log('init', words.join(' '));
export function setup() {
  console.log(words);
  return { token: __ENV.SHOP_PASSWORD };
}
export default function () {
  for (const word of words) {
    console.log(word);
    console.error(JSON.stringify({ word }));
    group('group ' + word.replaceAll('::', '%3A%3A'), () => check(word, { ['check ' + word]: () => exec.vu.iterationInInstance % 2 === 0 }));
  }
  counted.add(1, { word: words.join(' ') });
  http.get(__ENV.BASE_URL + '/work?token=' + encodeURIComponent(__ENV.SHOP_PASSWORD), { tags: { word: __ENV.FEED } });
  http.get(__ENV.BASE_URL + '/named', { tags: { name: 'GET ' + __ENV.FEED } });
  sleep(0.2);
  throw new Error(words.join(' '));
}
export function teardown() {
  console.warn(words.join('\\n'));
}
export function handleSummary(data) {
  return { stdout: JSON.stringify(data) + words.join('\\n'), stderr: words.join(' ') };
}
`;

const table = 'CREATE TABLE users (id text PRIMARY KEY, token text); CREATE TABLE orders (user_id text);';

async function database(rows = ''): Promise<string> {
  const { url } = await testDatabase(postgres, table + rows);
  return asRole(url, 'app', inUrl(secret.database));
}

/** A profile with a secret wherever one may stand. */
const everywhere = (target: Target) => `environment: dev
target:
  url: "http://ann:\${TARGET_PASSWORD}@${new URL(target.url).host}"
  health: "/healthz?token=${inUrl(secret.health)}"
  lookup:
    path: "/users/user-{n}?api_key=${inUrl(secret.lookupKey)}"
    headers: {Authorization: "Bearer \${BEARER}", X-Api-Key: ${quoted(secret.apiKey)}, Cookie: ${quoted(secret.cookie)}, X-Caller: "user-{n}"}
workload:
  script: ../script.js
  vus: 2
  duration: 2s
  options: {tlsAuth: [{domains: [127.0.0.1], cert: ${quoted(clientKey.certificate)}, key: ${quoted(secret.clientKey)}, password: ${quoted(secret.passphrase)}}]}
  env: {SHOP_PASSWORD: ${quoted(secret.shop)}, PEM: ${quoted(secret.pem)}, FEED: "\${FEED_TOKEN}", METRIC: "\${METRIC_WORD}"}
users: {strategy: bypass, key: "\${BYPASS_KEY}"}
stores:
  db: {kind: postgres, url: "\${DB_URL}"}
  cache: {kind: redis, url: "redis://127.0.0.1:${redis.port}/0", password: ${quoted(secret.cache)}, testDatabase: 1}
seed:
  users: {table: db.users, rows: 5, columns: {id: "user-{n}", token: "\${SEED_TOKEN}"}}
  logins: {key: "cache/user:user-{n}", rows: 5, value: {id: "user-{n}", token: "\${SEED_TOKEN}"}}
cleanup:
  prefix: load-test-user-
  rows: [{table: db.orders, column: user_id}]
  keys: [{flush: cache}]
  settle: 10ms
monitors: {server: {kind: prometheus, query: up, required: false, url: "http://mon:${inUrl(secret.monitor)}@127.0.0.1:1/metrics", token: ${secret.monitor}}}
outputs: {hook: {kind: webhook, url: "${target.url}/hooks/${inUrl(secret.output)}?token=${inUrl(secret.output)}", secret: ${Buffer.from(secret.output).toString('base64')}}}
runners: {backend: local, count: 2}
`;

const given = (databaseUrl: string) => ({
  TARGET_PASSWORD: inUrl(secret.target),
  BEARER: secret.bearer,
  FEED_TOKEN: secret.feed,
  METRIC_WORD: secret.metric,
  BYPASS_KEY: secret.bypass,
  DB_URL: databaseUrl,
  SEED_TOKEN: secret.seeded,
  INHERITED: secret.inherited,
  BUILD_URL: `https://ci:${secret.ci}@127.0.0.1/job/7?token=${secret.ci}`,
});

const dev = ['--env', 'dev'];

test('every command: not one secret on a screen, in a file, in an archive, among processes; hosts are shown', async () => {
  const logins = new Set<string>();
  const target = await startTarget((request) => {
    logins.add(`${request.headers.authorization}`);
    return false;
  });
  const url = await database();
  const at = listen({ 'profiles/dev.yaml': everywhere(target), 'script.js': talkative }, given(url));
  const host = new URL(target.url).host;
  const typed = ['-e', `TYPED_TOKEN=${secret.typed}`, '-e', 'INHERITED', '--set', `workload.env.SET_PASSWORD=${quoted(secret.set)}`];
  const loud = { LOADCTL_DEBUG: '1' };

  const [plan, planned] = await Promise.all([at.call(['plan', ...dev], 0), at.call(['plan', ...dev, '--json', ...typed], 0)]);
  for (const said of [plan, planned])
    for (const shown of [host, `127.0.0.1:${postgres.port}`, `127.0.0.1:${redis.port}`]) expect(said.stdout).toContain(shown);
  await Promise.all([at.call(['plan', ...dev, '--out', 'dev.plan'], 0), at.call(['doctor', ...dev, ...typed], 0)]);
  await at.call(['doctor', ...dev, '--ask'], 115);
  expect((await at.call(['seed', ...dev, ...typed], 0)).stderr).toContain('users');
  const asked = await at.call(['doctor', ...dev, '--ask'], 0);
  expect(asked.stdout).toContain('GET /users/user-1?api_key=[redacted]');
  await at.call(['seed', ...dev, '--json'], 0);

  const run = at.start(['run', ...dev, '--set', 'workload.duration=60s', ...typed], loud);
  await run.until('the load begins');
  const watching = at.start(['attach']);
  await watching.until('the load begins');
  expect((await at.call(['runs'], 0)).stdout).toContain('running');
  await at.call(['stop'], 0);
  expect((await run.said).code).toBe(105);
  expect((await watching.said).code).toBe(0);

  const ran = await at.call(['run', '--plan', 'dev.plan', ...dev, '--json'], 0);
  expect(ran.stderr).toContain('[redacted]');
  const archive = ['-xOf', join(at.place.latestRun(), 'test.tar'), 'metadata.json', join('file', at.place.folder, 'script.js')];
  const kept = execFileSync('tar', archive, { encoding: 'utf8' });
  expect(kept).toContain('"password": "[redacted]"');
  expect(kept).toContain(talkative);
  expect(at.place.read(relative(at.place.folder, join(at.place.latestRun(), 'run.json')))).toContain('@127.0.0.1/job/7');
  await Promise.all([
    at.call(['verify'], 0),
    at.call(['verify', '--json', '--report-dir', 'out'], 0),
    at.call(['report'], 0),
    at.call(['completion', 'bash'], 0),
    at.call(['compare', '--save', 'base.json'], 0),
  ]);
  await at.call(['cleanup', ...dev, '--dry-run'], 0);
  await at.call(['cleanup', ...dev, '--seeded', '--json'], 0);
  await at.call(['test', ...dev, '--seeded', '--quiet', ...typed], 0, loud);
  await Promise.all([at.call(['runs'], 0), at.call(['runs', '--json'], 0), at.call(['--help'], 0), at.call(['resend', ...dev], 0)]);
  expect(at.leaks()).toEqual([]);

  const fresh = listen({});
  await fresh.call(['init', '--url', `http://ann:${inUrl(secret.initial)}@127.0.0.1:1`], 2);
  const cache = `redis://:${inUrl(secret.cache)}@127.0.0.1:${redis.port}/0`;
  await fresh.call(['init', '--url', target.url, '--db', asRole(url, 'app', 'wrong'), '--yes'], 115);
  await fresh.call(['init', '--url', target.url, '--db', url, '--redis', cache, '--yes'], 0);
  await fresh.call(['plan', ...dev], 0);
  await fresh.call(['doctor', ...dev, '--connect'], 0, { DB_PASSWORD: secret.database, REDIS_PASSWORD: secret.cache });
  const login = target.url.replace('://', `://ann:${inUrl(secret.target)}@`);
  await fresh.call(['run', `${login}/work?token=${inUrl(secret.health)}`, '--set', 'workload.duration=1s'], 0);
  expect(fresh.leaks()).toEqual([]);

  const called = [...typedLines].map((line) => line.split(' ')[0]);
  expect(typedCommands.map(({ name }) => name).filter((name) => !called.includes(name))).toEqual([]);
  expect([...logins]).toContain(`Basic ${Buffer.from(`ann:${secret.target}`).toString('base64')}`);
  expect([...logins].some((login) => login.includes(secret.bearer))).toBe(true);
  const lines = [...watch.seen];
  for (const kind of [/k6 run /, /k6 archive /, /k6 inspect /, /loadctl\.js seed/])
    expect(lines.some((line) => kind.test(line))).toBe(true);
});

test.runIf(canMakeHosts())('runners on another machine: the same, there and here', async () => {
  const network = await startHosts([{ name: 'h1' }]);
  const target = await startTarget(undefined, network.address);
  const profile = `${everywhere(target).replace(/runners: .*/, '')}runners: {backend: ssh, hosts: [h1], sshConfig: ${network.config}, count: 2}
guards: {allow: [${network.address}, h1], confirm: false}
`;
  const at = listen({ 'profiles/dev.yaml': profile, 'script.js': talkative }, given(await database()));
  const run = at.start(['run', ...dev]);
  await run.until('the load begins');
  const lines = network.hosts[0]?.processes() ?? '';
  const said = await run.said;
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(said.stderr).toContain('runner 2 started on h1');
  expect(lines).toMatch(/k6 run /);
  expect(search(lines)).toEqual([]);
  expect(at.leaks()).toEqual([]);
});

/** What goes wrong where secrets are: the profile's lines that are other ones, and what is said. */
interface Mishap {
  readonly title: string;
  readonly command?: readonly string[];
  readonly change?: (profile: string, target: Target) => string;
  readonly script?: string;
  readonly env?: (url: string, target: Target) => Record<string, string>;
  readonly code: number;
  readonly says: string | RegExp;
}

const cacheAt = (url: string) => (profile: string) =>
  profile.replace(/ {2}cache: .*/, `  cache: {kind: redis, url: "${url}", testDatabase: 1}`);
const colours =
  (how: string) =>
  (profile: string, { url }: Target) =>
    `${profile.replace(
      / {2}url: .*\n/,
      `  colours: {blue: "${url.replace('//', `//ann:${inUrl(secret.target)}@`)}", green: "http://127.0.0.1:1"}\n  live: {${how}}\n`,
    )}guards: {sharedStores: [db, cache]}\n`;
const script = (more: string) => `const words = [__ENV.PEM, __ENV.SHOP_PASSWORD, __ENV.FEED];\nexport default () => {};\n${more}\n`;
const seedOnly = ['seed', ...dev];
const elsewhere = (url: string, change: (url: URL) => void) => {
  const other = new URL(url);
  change(other);
  return { DB_URL: other.href };
};

const mishaps: Mishap[] = [
  {
    title: 'a database refuses the password',
    command: seedOnly,
    env: (url) => elsewhere(url, (other) => (other.password = inUrl(secret.replica))),
    code: 115,
    says: /127\.0\.0\.1:\d+/,
  },
  {
    title: 'nothing listens at the database',
    command: seedOnly,
    env: (url) => elsewhere(url, (other) => (other.port = '1')),
    code: 115,
    says: '127.0.0.1:1',
  },
  {
    title: 'the database is something else',
    command: seedOnly,
    env: (url, target) => elsewhere(url, (other) => (other.port = new URL(target.url).port)),
    code: 115,
    says: /127\.0\.0\.1:\d+/,
  },
  {
    title: 'the database lacks the table',
    command: ['cleanup', ...dev, '--dry-run'],
    change: (profile) => profile.replaceAll('orders', 'gone'),
    code: 115,
    says: 'gone',
  },
  {
    title: 'a TLS mode that is none',
    command: seedOnly,
    env: (url) => elsewhere(url, (other) => (other.search = `?sslmode=verify-all&password=${inUrl(secret.replica)}`)),
    code: 104,
    says: 'sslmode',
  },
  {
    title: 'a cache refuses the password',
    command: seedOnly,
    change: (profile) => cacheAt(`redis://u:${inUrl(secret.cache)}@127.0.0.1:${redis.port}/0`)(profile),
    code: 115,
    says: /127\.0\.0\.1:\d+/,
  },
  {
    title: 'nothing listens at the cache',
    command: seedOnly,
    change: cacheAt(`redis://:${inUrl(secret.cache)}@127.0.0.1:1/0`),
    code: 115,
    says: '127.0.0.1:1',
  },
  {
    title: 'the cache is something else',
    command: seedOnly,
    change: (profile, target) => cacheAt(`redis://:${inUrl(secret.cache)}@${new URL(target.url).host}/0`)(profile),
    code: 115,
    says: /127\.0\.0\.1:\d+/,
  },
  {
    title: 'a seeded row is there with another value',
    command: seedOnly,
    change: (profile) => profile.replace('rows: 5', 'rows: 9'),
    code: 114,
    says: 'user-9',
  },
  {
    title: 'the target is not there',
    change: (profile) => profile.replace(/@127[.:\d]+"/, '@127.0.0.1:1"'),
    code: 115,
    says: '127.0.0.1:1',
  },
  { title: 'the target is not healthy', change: (profile) => profile.replace('/healthz', '/sick'), code: 115, says: '/sick?token=' },
  { title: 'init code that throws', script: script("throw new Error(words.join('; '));"), code: 107, says: 'init code' },
  {
    title: 'init code that throws its secrets as JSON',
    script: script('throw new Error(JSON.stringify({ words }));'),
    code: 107,
    says: 'init code',
  },
  { title: 'a file whose name is a secret', script: script('open(__ENV.PEM + __ENV.FEED);'), code: 107, says: 'no such file' },
  {
    title: 'a threshold that k6 does not know',
    script: script('export const options = { thresholds: { [__ENV.FEED]: [__ENV.FEED] } };'),
    code: 104,
    says: 'threshold',
  },
  { title: 'an option that is a secret', script: script('export const options = { stages: __ENV.PEM };'), code: 104, says: 'stages' },
  {
    title: 'setup() that throws',
    script: script("export function setup() { throw new Error(words.join('; ')); }"),
    code: 107,
    says: 'setup',
  },
  {
    title: 'a test that aborts itself',
    script: script("import exec from 'k6/execution';\nexport function setup() { exec.test.abort(words.join('; ')); }"),
    code: 108,
    says: 'abort',
  },
  {
    title: 'handleSummary() that throws',
    script: script("export function handleSummary() { throw new Error(words.join('; ')); }"),
    code: 0,
    says: 'handleSummary failed',
  },
  {
    title: 'teardown() that throws',
    script: script("export function teardown() { throw new Error(words.join('; ')); }"),
    code: 107,
    says: 'teardown',
  },
  {
    title: 'a live colour that a command cannot tell',
    change: colours(`command: "echo '\${FEED_TOKEN}' >&2; exit 3"`),
    code: 112,
    says: 'exit code 3',
  },
  {
    title: 'a live colour that is a long text',
    change: colours(`command: "printf '%050d%s' 0 '\${FEED_TOKEN}'"`),
    code: 112,
    says: 'neither blue nor green',
  },
  {
    title: 'a live colour behind a login',
    change: (profile, target) =>
      colours(
        `url: "${target.url.replace('//', `//ann:${inUrl(secret.target)}@`)}/colour?token=${inUrl(secret.health)}", jsonPath: $.live`,
      )(profile, target),
    code: 112,
    says: '/colour?token=',
  },
  {
    title: 'a live colour that nobody tells',
    change: colours(`url: "http://ann:${inUrl(secret.target)}@127.0.0.1:1/colour", header: x-live`),
    code: 112,
    says: '127.0.0.1:1',
  },
  { title: 'a guard', change: (profile) => profile.replace(/@127[.:\d]+"/, '@staging.invalid"'), code: 112, says: 'staging.invalid' },
  {
    title: 'somebody has to confirm',
    change: (profile) => `${profile.replace(/@127[.:\d]+"/, '@staging.invalid"')}guards: {allow: [staging.invalid]}\n`,
    command: seedOnly,
    code: 112,
    says: 'PLAN  dev',
  },
];

test('what goes wrong is told without a secret, and with the host', async () => {
  const target = await startTarget((request, response) => {
    if (request.url?.startsWith('/sick')) response.writeHead(401, secret.target.slice(0, 12)).end(secret.health);
    else if (request.url?.startsWith('/colour')) response.end(`${'x'.repeat(50)}${secret.health}`);
    else return false;
    return true;
  });
  const happen = async (app: string, { title, command = ['run', ...dev], change, script: source, env, code, says }: Mishap) => {
    const profile = everywhere(target).replace('vus: 2\n  duration: 2s', 'env: {}');
    const fixed = profile.replace('  env: {}\n', '').replace('count: 2', 'count: 1');
    const at = listen({ 'profiles/dev.yaml': change?.(fixed, target) ?? fixed, 'script.js': source ?? script('') }, given(app));
    const said = await at.start(command, { LOADCTL_DEBUG: '1', ...env?.(app, target) }).said;
    expect.soft(said.code, `${title}\n${said.stderr}`).toBe(code);
    expect.soft(said.stdout + said.stderr, title).toMatch(says);
    expect.soft(at.leaks(), title).toEqual([]);
  };
  const inTurn = async (some: readonly Mishap[]) => {
    const app = await database("INSERT INTO users VALUES ('user-9', 'theirs');");
    for (const one of some) await happen(app, one);
  };
  const half = mishaps.length / 2;
  await Promise.all([inTurn(mishaps.slice(0, half)), inTurn(mishaps.slice(half))]);
});

const raw = { slip: `slipFirst82 "@/:#?%zz' slipLast31`, mid: 'midFirst4@midMiddle77/midLast5' };
const slips = secretSearch(Object.entries({ ...secret, ...raw }).map(([name, text]) => ({ name, text })));

/** What a profile may say instead of the store's or target's right words. */
const broken: readonly (readonly [instead: string | RegExp, words: string])[] = [
  ...[
    `http:/ann:${raw.slip.replaceAll('"', '')}@127.0.0.1`,
    `http//ann:${secret.cookie}@127.0.0.1`,
    `htp://ann:${inUrl(secret.target)}@127.0.0.1:80`,
    `http://ann:${secret.bearer}#x@127.0.0.1`,
    `http://ann:${raw.mid}@127.0.0.1`,
    `ann:${secret.bearer}@127.0.0.1`,
    `127.0.0.1?token=${secret.metric}`,
    `http://127.0.0.1:99999/?api_key=${secret.metric}`,
    `http://ann:${secret.metric}@`,
    `\${TARGET_PASSWORD`,
  ].map((url) => [/url: "http:\/\/ann.*"/, `url: "${url}"`] as const),
  ...[
    `postgres:/app:${raw.slip.replaceAll('"', '')}@127.0.0.1/x`,
    `postgress://app:${secret.bearer}@127.0.0.1/x`,
    `postgres://app:${raw.mid}@127.0.0.1:5432/x`,
    `host=127.0.0.1 user=app password=${secret.metric}`,
    `host=127.0.0.1 user=app password='${secret.cookie}'`,
    `postgres://app@127.0.0.1/x?sslmode=verify-all&password=${secret.metric}`,
    `postgres://app:%zz${secret.metric}@127.0.0.1/x`,
  ].map((url) => [/url: "\$\{DB_URL\}"/, `url: ${quoted(url)}`] as const),
  ['url: "${DB_URL}"', `url: ["postgres://app:${secret.metric}@127.0.0.1/x"]`],
  ['url: "${DB_URL}"', `url: {password: ${secret.metric}}`],
  ['url: "${DB_URL}"', `host: 127.0.0.1, pasword: ${secret.metric}`],
  ['url: "${DB_URL}"', `shards: postgres://app:${secret.metric}@127.0.0.1/x`],
  [/password: "[^,]*", testDatabase/, `password: [${secret.metric}], testDatabase`],
  [/password: "[^,]*", testDatabase/, `password: {is: ${secret.metric}}, testDatabase`],
  [/password: "[^,]*", testDatabase/, `pasword: ${secret.metric}, testDatabase`],
  [/password: "[^,]*", testDatabase/, `password: ${quoted(secret.cache)}, testDatabase: ${secret.metric}, x`],
  [/ {2}cache: .*\n/, `  cache:\n    kind: redis\n    password: "${secret.metric}\n    testDatabase: 1\n`],
  [/ {2}cache: .*\n/, `  cache:\n    kind: redis\n    password: ${secret.metric}: ${secret.feed}\n`],
  [/ {2}cache: .*\n/, `  cache:\n    kind: redis\n\tpassword: ${secret.metric}\n`],
  [/ {2}cache: .*\n/, `  cache:\n    kind: redis\n    password: ${secret.metric}\n    password: ${secret.feed}\n`],
  [/ {2}cache: .*\n/, `  cache:\n    kind: redis\n    password: !${secret.metric}\n`],
  [/ {2}cache: .*\n/, `  cache:\n    kind: redis\n    password: *${secret.metric}\n`],
  ['key: "${BYPASS_KEY}"', `key: [${secret.metric}]`],
  ['key: "${BYPASS_KEY}"', `kee: ${secret.metric}`],
  ['key: "${BYPASS_KEY}"', `key: "\${BYPASS_KEY}", expires: ${secret.metric}`],
  ['strategy: bypass', `strategy: ${secret.metric}`],
  [/env: .*\n/, `env: {SHOP_PASSWORD: [${secret.metric}]}\n`],
  [/env: .*\n/, `env: ["SHOP_PASSWORD=${secret.metric}"]\n`],
  [/env: .*\n/, `env: SHOP_PASSWORD=${secret.metric}\n`],
  [/env: .*\n/, `env: {"SHOP PASSWORD": ${secret.metric}}\n`],
  [/headers: \{Authorization.*\n/, `headers: {Authorization: [Bearer, ${secret.metric}]}\n`],
  [/headers: \{Authorization.*\n/, `headers: "Authorization: Bearer ${secret.metric}"\n`],
  ['"${SEED_TOKEN}"', '"${SEED_TOKEN} {n"'],
  ['health: "/healthz', 'health: "healthz'],
];

test('a profile that is wrong is explained without what it may hold', async () => {
  const target = await startTarget();
  const whole = everywhere(target);
  const files = broken.map(([instead, words]) => whole.replace(instead, () => words));
  for (const [index, file] of files.entries()) expect(file, String(broken[index]?.[0])).not.toBe(whole);
  const at = listen(
    {
      'script.js': talkative,
      ...Object.fromEntries(files.map((file, index) => [`profiles/p${index}.yaml`, file.replace('environment: dev\n', '')])),
    },
    given('postgres://app@127.0.0.1/x'),
  );
  const show = async (index: number) => {
    const said = await at.start([index % 2 === 0 ? 'plan' : 'seed', '--env', `p${index}`, '--json']).said;
    const what = `${String(broken[index]?.[1])}\n${said.stderr}`;
    expect.soft([104, 115, 0], what).toContain(said.code);
    expect.soft(slips(said.stdout + said.stderr), what).toEqual([]);
  };
  for (let index = 0; index < files.length; index += 3)
    await Promise.all([index, index + 1, index + 2].filter((each) => each < files.length).map(show));
  expect(at.leaks()).toEqual([]);
});

test('words that are typed wrong are answered without what they hold', async () => {
  const target = await startTarget();
  const at = listen({ 'profiles/dev.yaml': everywhere(target), 'script.js': talkative }, given('postgres://app@127.0.0.1/x'));
  const login = `http://ann:${inUrl(secret.target)}@127.0.0.1:1`;
  const calls: readonly (readonly string[])[] = [
    ['plan', login],
    ['plan', '--env', login],
    ['plan', '--profile', login],
    [login],
    ['verify', login],
    ['init', '--url', `http:/ann:${secret.cookie}@127.0.0.1`],
    ['plan', ...dev, '--set', `stores.cache.password ${secret.metric}`],
    ['plan', ...dev, '--set', `stores.cache.password=[${secret.metric}]`],
    ['plan', ...dev, '--set', `stores.cache.pasword=${secret.metric}`],
    ['plan', ...dev, '--set', `stores.db.url=postgres:/app:${secret.metric}@127.0.0.1/x`],
    ['plan', ...dev, '--set', `target.url=${login.replace('://', ':/')}`],
    ['plan', ...dev, '--set', `workload.env.TOKEN.x=${secret.metric}`],
    ['plan', ...dev, '-e', `TOKEN ${secret.metric}`],
    ['plan', ...dev, '-e', `=${secret.metric}`],
    ['plan', ...dev, '-e', `BASE_URL=${secret.metric}`],
    ['plan', ...dev, '-e', `TO-KEN=${secret.metric}`],
    ['plan', `--env=TOKEN=${secret.metric}`],
    ['plan', '--env', `TOKEN=${secret.metric}`],
    ['plan', ...dev, `--token=${secret.metric}`],
    ['plan', ...dev, `-eTOKEN=${secret.metric}`, '--nonsense'],
  ];
  for (let index = 0; index < calls.length; index += 2)
    await Promise.all(
      calls.slice(index, index + 2).map(async (args) => {
        const said = await at.start(args).said;
        expect.soft([0, 2, 104, 115], `${args.join(' ')}\n${said.stderr}`).toContain(said.code);
        expect.soft(search(said.stdout + said.stderr), `${args.join(' ')}\n${said.stderr}`).toEqual([]);
      }),
    );
  expect(at.leaks()).toEqual([]);
});
