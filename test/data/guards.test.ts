import { describe, expect, test } from 'vitest';
import { type CountingServer, startCountingServer } from '../servers/counting-server.js';
import { canHaveAddresses, ownAddresses } from '../servers/own-addresses.js';
import { requestsTo } from '../support/colours.js';
import { type Said, type Workplace, workplace } from '../support/loadctl.js';
import { startTarget, type Target } from '../support/target.js';

/** Everything that a profile may lead to, each on a host of its own beyond loopback; all count who comes. */
interface World {
  readonly target: Target;
  readonly router: Target;
  readonly db: CountingServer;
  readonly cache: CountingServer;
  readonly runner: CountingServer;
  readonly hosts: readonly string[];
  /** The words of a profile that all guards let through. */
  readonly words: Words;
}

type Words = Record<'target' | 'workload' | 'stores' | 'data' | 'runners' | 'abort' | 'guards', string>;

async function startWorld(): Promise<World> {
  const hosts = ownAddresses(5);
  const [at0 = '', at1 = '', at2 = '', at3 = '', at4 = ''] = hosts;
  const target = await startTarget(undefined, at0);
  const router = await startTarget(undefined, at3);
  const [db, cache, runner] = [await startCountingServer(at1), await startCountingServer(at2), await startCountingServer(at4, 22)];
  const words = {
    target: `target: {url: "${target.url}", health: /healthz}`,
    workload: 'workload: {script: ../script.js, vus: 10, duration: 10s, pacing: 1s}',
    stores: `stores: {db: {kind: postgres, url: "postgres://loadctl:s3cr3t-w0rd@${at1}:${db.port}/x"}, cache: {kind: redis, url: "redis://${at2}:${cache.port}/0", testDatabase: 1}}`,
    data: `seed: {users: {table: db.users, rows: 5, columns: {id: "user-{n}"}}, logins: {key: "cache/user:{n}", rows: 5, value: x}}
cleanup: {prefix: load-test-user-, rows: [{table: db.orders, column: user_id}], keys: [{flush: cache}]}`,
    runners: 'runners: {backend: local, count: 1}',
    abort: 'abort: [{when: errors > 5%, for: 30s}]',
    guards: `guards: {level: production, allow: [${hosts.join(', ')}], maxVus: 10, maxRate: 10/s, maxDuration: 10s}`,
  };
  return { target, router, db, cache, runner, hosts, words };
}

const place = (words: Words) =>
  workplace({
    'profiles/staging.yaml': `environment: staging\n${Object.values(words).join('\n')}\n`,
    'script.js': 'export default () => {};',
  });

/** Calls loadctl as somebody who has confirmed whatever is planned. */
async function confirmed(at: Workplace, command: readonly string[]): Promise<Said> {
  const { hash } = JSON.parse((await at.loadctl(['plan', '--env', 'staging', '--json'])).stdout) as { hash: string };
  return at.loadctl([...command, '--env', 'staging'], { LOADCTL_CONFIRM: `staging@${hash}` });
}

function expectNothingSent({ target, router, db, cache, runner }: World): void {
  expect({
    target: requestsTo(target),
    router: requestsTo(router),
    db: db.connections(),
    cache: cache.connections(),
    runner: runner.connections(),
  }).toEqual({ target: 0, router: 0, db: 0, cache: 0, runner: 0 });
}

interface Case {
  readonly title: string;
  readonly change: (world: World) => Partial<Words>;
  readonly commands: readonly string[];
  readonly guard: string;
  readonly says: (world: World) => string;
  readonly fix: string;
}

const all = ['run', 'seed', 'cleanup', 'test'];
const loading = ['run', 'test'];

/** The allow-list without one of the hosts. */
const without =
  (index: number) =>
  ({ words, hosts }: World): Partial<Words> => ({
    guards: words.guards.replace(new RegExp(`(, )?${hosts[index]}\\b`), '').replace('[, ', '['),
  });

const notAllowed =
  (index: number) =>
  ({ hosts }: World) =>
    `${hosts[index]} is not on the profile's list of allowed hosts.`;

const cases: Case[] = [
  { title: 'a target', change: without(0), commands: all, guard: 'allow', says: notAllowed(0), fix: 'guards.allow: [' },
  { title: 'a database', change: without(1), commands: all, guard: 'allow', says: notAllowed(1), fix: 'guards.allow: [' },
  { title: 'a cache', change: without(2), commands: all, guard: 'allow', says: notAllowed(2), fix: 'guards.allow: [' },
  {
    title: 'the place that tells the live colour',
    change: (world) => ({ ...without(3)(world), ...colours(world) }),
    commands: loading,
    guard: '2 guards',
    says: notAllowed(3),
    fix: 'guards.allow: [',
  },
  {
    title: 'a machine that makes load',
    change: (world) => ({ ...without(4)(world), runners: `runners: {backend: ssh, hosts: [${world.hosts[4]}], count: 1}` }),
    commands: all,
    guard: 'allow',
    says: notAllowed(4),
    fix: 'guards.allow: [',
  },
  {
    title: 'a host that only the query of a URL names',
    change: (world) => ({
      ...without(1)(world),
      stores: world.words.stores.replace(/@[^/]+\/x/, `@localhost/x?host=localhost&host=${world.hosts[1]}`),
    }),
    commands: all,
    guard: 'allow',
    says: notAllowed(1),
    fix: 'guards.allow: [',
  },
  {
    title: 'a host that the query of a URL hides',
    change: (world) => ({ ...without(0)(world), target: `target: {url: "${world.target.url}/?host=localhost"}` }),
    commands: all,
    guard: 'allow',
    says: notAllowed(0),
    fix: 'guards.allow: [',
  },
  ...(
    [
      ['VUs', 'vus: 11, duration: 10s, pacing: 2s', 'The load is 11 VUs; guards.maxVus allows 10 VUs.'],
      ['a rate', 'vus: 10, duration: 10s, pacing: 500ms', 'The load is 20 iterations/s; guards.maxRate allows 10 iterations/s.'],
      [
        'a rate of the open model',
        'vus: 10, duration: 10s, rate: 11/s',
        'The load is 11 iterations/s; guards.maxRate allows 10 iterations/s.',
      ],
      ['a duration', 'vus: 10, duration: 11s, pacing: 1s', 'The load is 11s; guards.maxDuration allows 10s.'],
    ] as const
  ).map(
    ([title, load, message]): Case => ({
      title: `${title} above its cap`,
      change: () => ({ workload: `workload: {script: ../script.js, ${load}}` }),
      commands: loading,
      guard: 'cap',
      says: () => message,
      fix: 'Ask for less, or raise guards.max',
    }),
  ),
  {
    title: "a script's own load, by what k6 says of it",
    change: () => ({
      workload: 'workload: {script: ../script.js, options: {scenarios: {a: {executor: constant-vus, vus: 11, duration: 5s}}}}',
    }),
    commands: loading,
    guard: '2 guards',
    says: () => 'The load is 11 VUs; guards.maxVus allows 10 VUs.',
    fix: 'Bound it: workload.options: {minIterationDuration: 1100ms}',
  },
  {
    title: 'production whose abort rules nobody watches',
    change: () => ({ abort: 'abort: [{when: cpu > 95%, for: 30s}]' }),
    commands: loading,
    guard: 'abort',
    says: () => 'guards: production requires an abort rule that can be evaluated',
    fix: 'Add one: abort: [{when: errors > 5%, for: 30s, after: 1m}]',
  },
  {
    title: 'stores that the live colour uses, too',
    change: (world) => colours(world),
    commands: all,
    guard: 'shared-store',
    says: () => 'db, cache are taken to be also used by the live colour, and guards.sharedStores does not accept them.',
    fix: 'guards.sharedStores: [db, cache]',
  },
  {
    title: 'one such store that is not accepted by name',
    change: (world) => ({ ...colours(world), guards: world.words.guards.replace('{', '{sharedStores: [cache], ') }),
    commands: all,
    guard: 'shared-store',
    says: () => 'db is taken to be also used by the live colour, and guards.sharedStores does not accept it.',
    fix: 'guards.sharedStores: [cache, db]',
  },
];

function colours({ target, router }: World): Partial<Words> {
  const other = target.url.replace(/\d+$/, '1');
  return { target: `target: {colours: {blue: "${target.url}", green: "${other}"}, live: {url: "${router.url}/colour", jsonPath: $.live}}` };
}

describe.runIf(canHaveAddresses())('nothing at all is sent, and 112 says which guard and what would satisfy it', () => {
  test.each(cases)('$title', async ({ change, commands, guard, says, fix }) => {
    const world = await startWorld();
    const at = place({ ...world.words, ...change(world) });
    for (const command of commands) {
      const said = await confirmed(at, [command]);
      expect(said, `${command}: ${said.stderr}`).toMatchObject({ code: 112, stdout: '' });
      expect(said.stderr).toContain(
        guard.includes(' ')
          ? `${guard} refuse this on staging; nothing was sent.`
          : `The guard \`${guard}\` refuses this on staging; nothing was sent.`,
      );
      expect(said.stderr).toContain(says(world));
      expect(said.stderr).toContain(fix);
      expect(said.stderr).toMatch(/^hint: /m);
    }
    expectNothingSent(world);
  });

  test('cleanup without the environment in words', async () => {
    const world = await startWorld();
    const said = await place(world.words).loadctl(['cleanup']);
    expect(said.code).toBe(112);
    expect(said.stderr).toContain('requires --env.');
    expect(said.stderr).toContain('hint: loadctl cleanup --env staging');
    expectNothingSent(world);
  });

  test('a test whose writes the cleanup cannot reach', async () => {
    const world = await startWorld();
    const writing = world.words.workload.replace('}', ', sessions: {buy: 100%}, steps: {buy: [POST /orders]}}');
    const at = place({ ...world.words, workload: writing, data: '' });
    for (const command of ['plan', ...all]) {
      const said = await at.loadctl([command, '--env', 'staging']);
      expect(said.code).toBe(112);
      expect(said.stderr).toContain('The test writes (POST /orders), and the cleanup reaches none of it');
    }
    const other = place({ ...world.words, workload: writing, data: world.words.data.replace('load-test-user-', 'my-own-test-') });
    expect((await other.loadctl(['run', '--env', 'staging'])).stderr).toContain('hint: Write cleanup.prefix: load-test-user-');
    expectNothingSent(world);
  });

  test('what a profile must not say at all is 104: production without abort rules, index 0 as what is flushed, another target by -e', async () => {
    const world = await startWorld();
    const bad: [Partial<Words>, string[], string][] = [
      [{ abort: '' }, [], '`guards: production` needs an `abort` rule'],
      [
        { stores: world.words.stores.replace('testDatabase: 1', 'testDatabase: 0') },
        [],
        'expected an index other than 0, which is never flushed',
      ],
      [{ stores: world.words.stores.replace(', testDatabase: 1', '') }, [], '`flush` needs `stores.cache.testDatabase`'],
      [{}, ['-e', 'BASE_URL=http://elsewhere'], '`BASE_URL` is loadctl’s to set: set `target.url`'],
    ];
    for (const [change, args, message] of bad) {
      const at = place({ ...world.words, ...change });
      for (const command of all) {
        const said = await at.loadctl([command, '--env', 'staging', ...args]);
        expect(said.code).toBe(104);
        expect(said.stderr).toContain(message);
      }
    }
    expectNothingSent(world);
  });

  test("a script's own load that is within its caps goes on", async () => {
    const world = await startWorld();
    const options = '{scenarios: {a: {executor: constant-arrival-rate, rate: 10, duration: 2s, preAllocatedVUs: 1, maxVUs: 10}}}';
    const at = place({ ...world.words, workload: `workload: {script: ../script.js, options: ${options}}`, stores: '', data: '' });
    expect(await confirmed(at, ['run'])).toMatchObject({ code: 0 });
    expect((await at.loadctl(['plan', '--env', 'staging'])).code).toBe(0);
  });

  test('plan looks at nothing, whatever it is asked, and ends as the run would', async () => {
    const world = await startWorld();
    const at = place({ ...world.words, ...colours(world) });
    for (const args of [[], ['--json'], ['--out', 'x.plan']])
      expect((await at.loadctl(['plan', '--env', 'staging', ...args])).code).toBe(112);
    expectNothingSent(world);
  });

  test('and what they all let through does arrive, so that the counts mean something', async () => {
    const world = await startWorld();
    const at = place({ ...world.words, guards: world.words.guards.replace('{', '{sharedStores: [db, cache], ') });
    expect((await confirmed(at, ['seed'])).code).toBe(115);
    expect(world.db.connections()).toBeGreaterThan(0);
    const blueGreen = place({ ...world.words, ...colours(world), guards: world.words.guards.replace('{', '{sharedStores: [db, cache], ') });
    expect((await confirmed(blueGreen, ['run'])).code).toBe(112);
    expect([requestsTo(world.router), requestsTo(world.target)]).toEqual([1, 0]);
  });
});
