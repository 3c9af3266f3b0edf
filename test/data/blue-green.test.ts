import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startPostgres } from '../servers/postgres.js';
import { type Colours, requestsTo, startColours } from '../support/colours.js';
import { type Workplace, workplace } from '../support/loadctl.js';

const script = `import http from 'k6/http';
import { sleep } from 'k6';
export function setup() { http.get(__ENV.BASE_URL + '/setup'); }
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }`;

const load = (duration: string) =>
  `workload: {script: ../script.js, vus: 4, duration: ${duration}}\nrunners: {count: 2}\nsla: {errors: < 1%, availability: 50%}\n`;

const place = (target: string, duration = '60s') => workplace({ 'profiles/prod.yaml': target + load(duration), 'script.js': script });

interface Logged {
  readonly type: string;
  readonly [word: string]: unknown;
}

const json = (at: Workplace, name: string) => JSON.parse(readFileSync(join(at.latestRun(), name), 'utf8')) as Record<string, unknown>;
const events = (at: Workplace) =>
  readFileSync(join(at.latestRun(), 'events.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Logged);

describe('the colour that is not live', () => {
  test('is the one that is loaded, probed and written down; the live one gets nothing', async () => {
    const colours = await startColours();
    const at = place(colours.words(), '3s');

    const said = await at.loadctl(['run', '--env', 'prod']);

    expect(said, said.stderr).toMatchObject({ code: 0 });
    expect(requestsTo(colours.blue)).toBe(0);
    expect(colours.green.hits.get('GET /work')).toBeGreaterThan(20);
    expect([colours.green.hits.get('GET /setup'), colours.green.hits.get('GET /torn-down')]).toEqual([1, 1]);
    expect(colours.green.hits.get('GET /healthz')).toBeGreaterThanOrEqual(3);
    expect(said.stderr).toContain(`run prod: 2 runners (local) → green, ${colours.green.url} (blue is live)`);
    expect(json(at, 'run.json').target).toEqual({
      url: colours.green.url,
      health: `${colours.green.url}/healthz`,
      colour: { loaded: 'green', live: 'blue', liveUrl: colours.blue.url },
    });
    expect(events(at)).toContainEqual({
      type: 'live-colour-found',
      at: expect.any(Number),
      t: expect.any(Number),
      live: 'blue',
      loaded: 'green',
      url: colours.green.url,
    });
    const { criteria } = json(at, 'verdict.json') as { criteria: { name: string; outcome: string }[] };
    expect(criteria.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['errors', 'pass'],
      ['availability', 'pass'],
    ]);
    expect(colours.askedBy.slice(0, 2)).toEqual(['loadctl/guard', expect.stringMatching(/^loadctl\/\d{8}-\d{6}-\w{5}$/)]);
    expect(requestsTo(colours.router)).toBeGreaterThan(10);
  });

  test('is told by a header, or by a command that runs in the folder of the profile with PATH and HOME alone', async () => {
    const colours = await startColours();
    colours.says = ' GREEN\n'.trim();
    const byHeader = await place(colours.words(`url: "${colours.router.url}/colour", header: X-Live-Colour`), '1s').loadctl([
      'run',
      '--env',
      'prod',
    ]);
    expect(byHeader, byHeader.stderr).toMatchObject({ code: 0 });
    expect([requestsTo(colours.blue) > 0, requestsTo(colours.green)]).toEqual([true, 0]);

    const command = 'env | cut -d= -f1 | sort >names; pwd >folder; printf " Green \\n"';
    const at = place(colours.words(`command: '${command}'`), '1s');
    const byCommand = await at.loadctl(['run', '--env', 'prod'], { SECRET_THING: 'x' });
    expect(byCommand, byCommand.stderr).toMatchObject({ code: 0 });
    expect(requestsTo(colours.green)).toBe(0);
    expect(at.read('profiles/folder').trim()).toBe(join(at.folder, 'profiles'));
    expect(
      at
        .read('profiles/names')
        .trim()
        .split('\n')
        .filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)),
    ).toEqual(['HOME', 'PATH']);
  });

  test('is kept apart by k6 itself, beside what the script blocks: by addresses where they differ, else by name', async () => {
    const colours = await startColours({ blue: '127.0.0.2' });
    const nosy = `import http from 'k6/http';
export const options = { vus: 1, iterations: 2, blockHostnames: ['*.example.com'], blacklistIPs: ['10.0.0.0/8'] };
export default () => { for (const url of [__ENV.BASE_URL, __ENV.OTHER, 'http://a.example.com', 'http://10.1.2.3']) http.get(url + '/work', { timeout: '2s' }); };`;
    const at = workplace({ 'profiles/prod.yaml': `${colours.words()}workload: {script: ../script.js}\n`, 'script.js': nosy });

    const said = await at.loadctl(['run', '--env', 'prod', '-e', `OTHER=${colours.blue.url}`]);

    expect(said, said.stderr).toMatchObject({ code: 0 });
    expect([colours.green.hits.get('GET /work'), requestsTo(colours.blue)]).toEqual([2, 0]);
    expect(said.stderr).toContain('IP (127.0.0.2) is in a blacklisted range (127.0.0.2/32)');
    expect(said.stderr).toContain('hostname (a.example.com) is in a blocked pattern (*.example.com)');
    expect(said.stderr).toContain('IP (10.1.2.3) is in a blacklisted range (10.0.0.0/8)');
    expect(said.stderr).not.toContain('cannot keep the runners');

    const named = colours.words().replace(colours.blue.url, colours.blue.url.replace('127.0.0.2', 'localhost'));
    at.file('profiles/prod.yaml', `${named}workload: {script: ../script.js}\n`);
    const byName = await at.loadctl(['run', '--env', 'prod', '-e', `OTHER=http://localhost:1`]);
    expect(byName.stderr).toContain('hostname (localhost) is in a blocked pattern (localhost)');
    expect(byName.stderr).toContain(
      'blue, the live colour, shares the address 127.0.0.1 with green: the runners are kept away from it by its name alone.',
    );
  });

  test('on the same host cannot be kept apart from the live one, which is said', async () => {
    const colours = await startColours();
    const said = await place(colours.words(), '1s').loadctl(['run', '--env', 'prod']);
    expect(said.stderr).toContain(
      'blue, the live colour, is on the same host as green (127.0.0.1): k6 cannot keep the runners away from one of its ports.',
    );
  });
});

test('a whole test with a database that is accepted by name: seeded, loaded, cleaned up', async () => {
  const [colours, server] = [await startColours(), await startPostgres()];
  onTestFinished(() => server.stop());
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(
    "CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE orders (user_id text); INSERT INTO orders VALUES ('load-test-user-1')",
  );
  await client.end();
  const data = `stores: {db: {kind: postgres, url: "${server.url}"}}
seed: {users: {table: db.users, rows: 5, columns: {id: "user-{n}"}}}
cleanup: {prefix: load-test-user-, settle: 20ms, rows: [{table: db.orders, column: user_id}]}
`;
  const at = workplace({ 'profiles/prod.yaml': colours.words() + load('1s') + data, 'script.js': script });
  const refused = await at.loadctl(['test', '--env', 'prod']);
  expect(refused.code).toBe(112);
  expect(refused.stderr).toContain(
    'The guard `shared-store` refuses this on prod; nothing was sent. db is taken to be also used by the live colour',
  );
  expect(requestsTo(colours.router)).toBe(0);
  at.file('profiles/prod.yaml', `${at.read('profiles/prod.yaml')}guards: {sharedStores: [db]}\n`);
  const said = await at.loadctl(['test', '--env', 'prod', '--seeded']);
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(said.stdout).toContain('CLEAN  nothing of the test is left');
  // Had it been killed, a cleanup would have had something to hold its count against.
  expect(JSON.parse(at.read('.loadctl/before-prod.json'))).toMatchObject({
    others: [
      { table: 'orders', rows: 0 },
      { table: 'users', rows: 0 },
    ],
  });
  expect([requestsTo(colours.blue), (colours.green.hits.get('GET /work') ?? 0) > 0]).toEqual([0, true]);
});

/** Waits until the run loads green. */
async function underLoad({ green }: Colours): Promise<void> {
  await expect.poll(() => green.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);
}

describe('while the load is on', () => {
  test('a switch ends it at once: 112, interrupted, torn down once', async () => {
    const colours = await startColours();
    const at = place(colours.words());
    const run = at.start(['run', '--env', 'prod']);
    await underLoad(colours);

    const switched = Date.now();
    colours.says = 'green';
    await run.until('ending early: green went live');
    const noticedMs = Date.now() - switched;
    const said = await run.said;

    console.log(`a switch, looked for every 200 ms, was noticed after ${noticedMs} ms`);
    expect(noticedMs).toBeLessThan(2000);
    expect(said.code).toBe(112);
    expect(json(at, 'verdict.json')).toMatchObject({ verdict: 'interrupted', exitCode: 112, exitCodes: [112, 105] });
    expect((json(at, 'verdict.json').reasons as string[])[0]).toMatch(/^green went live: this run loads it/);
    expect(said.stderr).toContain('Nothing to clean up: this profile declares no test data.');
    expect(colours.green.hits.get('GET /torn-down')).toBe(1);
    expect(requestsTo(colours.blue)).toBe(0);
    expect((await at.loadctl(['verify', '--json'])).code).toBe(112);
  });

  test('look-ups that fail twice are an outage, which passes', async () => {
    const colours = await startColours();
    const at = place(colours.words(), '5s');
    const run = at.start(['run', '--env', 'prod']);
    await underLoad(colours);
    let left = 2;
    colours.says = (response) => {
      if (--left === 0) colours.says = 'blue';
      response.writeHead(503).end();
    };
    await run.until('blue is live, as before');
    const said = await run.said;
    expect(said, said.stderr).toMatchObject({ code: 0 });
    expect(said.stderr).toContain(`Cannot determine the live colour: GET ${colours.router.url}/colour answered 503.`);
  });

  test('when three in a row fail nobody knows any more: 112', async () => {
    const colours = await startColours();
    const at = place(colours.words());
    const run = at.start(['run', '--env', 'prod']);
    await underLoad(colours);
    await colours.router.die();
    const said = await run.said;
    expect(said.code).toBe(112);
    expect(said.stderr).toContain('Could not determine for 600ms whether the colour under test went live (3 look-ups).');
    expect(json(at, 'verdict.json')).toMatchObject({ verdict: 'interrupted', exitCodes: [112, 105] });
    expect(colours.green.hits.get('GET /torn-down')).toBe(1);
  });
});

test('a switch while the run gets ready ends it before any load', async () => {
  const colours = await startColours();
  const slow = script.replace("http.get(__ENV.BASE_URL + '/setup');", "http.get(__ENV.BASE_URL + '/setup'); sleep(20);");
  const at = workplace({ 'profiles/prod.yaml': colours.words() + load('60s'), 'script.js': slow });
  const run = at.start(['run', '--env', 'prod']);
  await expect.poll(() => colours.green.hits.get('GET /setup'), { timeout: 30_000 }).toBe(1);
  colours.says = 'green';
  const said = await run.said;
  expect(said.code).toBe(112);
  expect(said.stderr).toContain('error: green went live');
  expect(colours.green.hits.get('GET /work') ?? 0).toBe(0);
});

describe('where it cannot be told which colour is live, nothing is sent but the look-up', () => {
  test.each([
    ['an answer of 503', 503, '', 'answered 503.'],
    ['a redirect', 302, '', 'answered 302, and a redirect is not followed.'],
    ['no JSON', 200, '<html>', 'is not JSON: "<html>".'],
    ['nothing at the path', 200, '{"live": {}}', 'has no text at target.live.jsonPath: "{\\"live\\": {}}".'],
    ['a number', 200, '{"live": {"the-colour": [1]}}', 'has no text at target.live.jsonPath'],
    ['another word', 200, '{"live": {"the-colour": ["purple"]}}', 'says "purple", which is neither blue nor green.'],
    ['an empty word', 200, '{"live": {"the-colour": [""]}}', 'says nothing, which is neither blue nor green.'],
  ])('%s', async (_, status, body, message) => {
    const colours = await startColours();
    colours.says = (response) => response.writeHead(status, { location: colours.green.url }).end(body);
    await expectRefused(place(colours.words()), colours, message);
    expect(requestsTo(colours.router)).toBe(1);
  });

  test('nobody listens', async () => {
    const colours = await startColours();
    await colours.router.die();
    await expectRefused(place(colours.words()), colours, 'ECONNREFUSED');
  });

  test.each([
    ['that fails', 'echo no route >&2; exit 3', 'target.live.command failed (exit code 3): no route.'],
    ['that is no shell', 'if', 'target.live.command failed (exit code 2)'],
    ['that says two things', 'echo blue; echo green', 'target.live.command says "blue green", which is neither'],
    ['that hangs', 'echo $$ >pid; sleep 300', 'target.live.command did not answer within 5 s.'],
  ])('a command %s', async (_, command, message) => {
    const colours = await startColours();
    const at = place(colours.words(`command: '${command}'`));
    await expectRefused(at, colours, message);
    if (command.includes('pid')) expect(sleepsIn(at.read('profiles/pid').trim())).toEqual([]);
  });

  test('a secret in the command or the URL is in no process list and in no message', async () => {
    const colours = await startColours();
    const at = place(colours.words(`command: 'ps -eo args >list; echo "\${COLOUR_TOKEN}" >/dev/null; exit 1'`));
    const said = await at.loadctl(['run', '--env', 'prod'], { COLOUR_TOKEN: 'open-sesame' });
    expect(said.code).toBe(112);
    expect(at.read('profiles/list')).toContain('loadctl.js');
    expect(at.read('profiles/list')).not.toContain('open-sesame');
    writeFileSync(
      join(at.folder, 'profiles/prod.yaml'),
      colours.words(`url: "${colours.router.url}/x?token=\${COLOUR_TOKEN}", header: nothing`) + load('1s'),
    );
    const asked = await at.loadctl(['run', '--env', 'prod'], { COLOUR_TOKEN: 'open-sesame' });
    expect(asked.code).toBe(112);
    expect(asked.stderr).toContain('/x?token=[redacted] says nothing');
    expect(asked.stderr).not.toContain('open-sesame');
  });

  async function expectRefused(at: Workplace, colours: Colours, message: string): Promise<void> {
    const said = await at.loadctl(['run', '--env', 'prod']);
    expect(said.code).toBe(112);
    expect(said.stderr).toContain(
      'The guard `live-colour` refuses this on prod; nothing was sent but its own look-up. Cannot determine the live colour: ',
    );
    expect(said.stderr).toContain(message);
    expect(said.stderr).toMatch(/^hint: /m);
    expect([requestsTo(colours.blue), requestsTo(colours.green)]).toEqual([0, 0]);
    expect(existsSync(join(at.folder, '.loadctl'))).toBe(false);
  }
});

/** The sleeping commands of a process group. */
function sleepsIn(group: string): string[] {
  const all = execFileSync('ps', ['-eo', 'pgid,args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.trim().startsWith(`${group} sleep`));
}
