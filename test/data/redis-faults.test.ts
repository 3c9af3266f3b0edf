import { Cluster } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LoadctlEvent } from '../../src/core/events.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { slotOf } from '../../src/stores/redis/cluster/slots.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { type ClusterNode, type RedisCluster, startRedisCluster } from '../servers/redis.js';
import { isSettled } from './generated-keys/slots.js';

let cluster: RedisCluster;
beforeEach(async () => {
  cluster = await startRedisCluster();
});
afterEach(() => cluster.stop());

const rows = 20_000;
const steps = [
  { key: 'cache/user:user-{n}', rows, value: { id: 'user-{n}', name: 'Test User {n}' }, ttl: '1h' },
  { key: 'cache/profile:{n}', rows: 2000, value: { id: 'user-{n}', age: 7 }, as: 'hash' },
];
const keys = [{ match: 'cache/user:load-test-user-*' }, { key: 'cache/queue:*', members: 'load-test-user-*' }];

function profile(): DataProfile {
  const stores = { cache: { kind: 'redis', cluster: cluster.primaries.map(({ address }) => address) } };
  return { stores, seed: steps, cleanup: { prefix: 'load-test-user-', keys, settle: '50ms' } };
}

/** Does something once, the first time that an event is the one. */
function once(is: (event: LoadctlEvent) => boolean, strike: () => void): (event: LoadctlEvent) => void {
  let struck = false;
  return (event) => {
    if (struck || !is(event)) return;
    struck = true;
    strike();
  };
}

const halfway = (event: LoadctlEvent) => event.type === 'step-progressed' && event.done > rows / 2;
const sweeping = (event: LoadctlEvent) => event.type === 'step-started' && event.step === 'delete-test-data';
const takingUsers = (event: LoadctlEvent) => event.type === 'step-started' && event.step === 'take-out-seeded';

const primariesNow = async () => {
  const roles = await Promise.all(cluster.nodes().map(async (node) => [node, await node.client.role()] as const));
  return roles.filter(([, role]) => String(role).startsWith('master')).map(([node]) => node);
};
const keysNow = async () => (await Promise.all((await primariesNow()).map(({ client }) => client.keys('*')))).flat();

/** Whether the replica of a primary that was killed has taken over. */
async function promoted(replica: ClusterNode): Promise<void> {
  await expect.poll(() => replica.client.role().then(String), { timeout: 20_000 }).toMatch(/^master/);
}

async function expectAllSeeded(): Promise<void> {
  const keys = new Set(await keysNow());
  const wanted = [...Array(rows).keys()].map((n) => `user:user-${n + 1}`).concat([...Array(2000).keys()].map((n) => `profile:${n + 1}`));
  expect(wanted.filter((key) => !keys.has(key))).toEqual([]);
}

async function listOf(key: string): Promise<string[]> {
  const client = new Cluster(cluster.nodes().map(({ port }) => ({ host: '127.0.0.1', port })));
  try {
    return await client.lrange(key, 0, -1);
  } finally {
    client.disconnect();
  }
}

async function fill(): Promise<void> {
  const client = new Cluster(cluster.primaries.map(({ port }) => ({ host: '127.0.0.1', port })));
  const write = (key: string, command: string, ...words: string[]) => client.call(command, key, ...words);
  for (let n = 0; n < 3000; n++) await write(`user:load-test-user-${n}`, 'SET', 'x');
  for (let n = 0; n < 100; n++) await write(`queue:${n}`, 'RPUSH', 'real', 'load-test-user-1', 'load-test-user-2', 'load-test-user-1');
  client.disconnect();
}

describe('a primary that dies', () => {
  test('while seeding: what its replica had not received is written again, and said', async () => {
    const [dying = expect.unreachable()] = cluster.primaries;
    const [heir = expect.unreachable()] = cluster.replicas;
    // From here on the replica receives nothing: all that its primary acknowledges from now on will be lost.
    heir.signal('SIGSTOP');
    await dying.client.call('CLIENT', 'KILL', 'TYPE', 'replica');
    const context = dataContext(profile());
    const emit = once(halfway, () => {
      dying.signal('SIGKILL');
      heir.signal('SIGCONT');
    });
    const { stores } = await seed({ ...context, emit: (event) => [context.emit(event), emit(event)] });
    const [users] = stores;
    expect(users).toMatchObject({ created: rows, alreadyThere: 0 });
    expect(users?.writtenAgain).toBeGreaterThan(1000);
    expect(context.events).toContainEqual(
      expect.objectContaining({
        type: 'warned',
        code: 'entries-vanished',
        key: 'user:user-{n}',
      }),
    );
    await expectAllSeeded();
    expect((await seed(dataContext(profile()))).stores).toMatchObject([
      { created: 0, alreadyThere: rows },
      { created: 0, alreadyThere: 2000 },
    ]);
  });

  test('while cleaning: its keys are counted at the node that took over', async () => {
    const [, dying = expect.unreachable()] = cluster.primaries;
    const [, heir = expect.unreachable()] = cluster.replicas;
    await seed(dataContext(profile()));
    await fill();
    const context = dataContext(profile());
    const emit = once(sweeping, () => dying.signal('SIGKILL'));
    const { receipt, reasons } = await cleanup({ ...context, emit }, { dryRun: false, seeded: true });
    await promoted(heir);
    expect([reasons, receipt.proven]).toEqual([[], true]);
    expect(receipt.keys.filter(({ left }) => left > 0)).toEqual([]);
    const counted = receipt.keys.filter(({ which }) => which === 'user:load-test-user-*').map(({ node }) => node);
    expect(counted).toContain(heir.address);
    const left = await keysNow();
    expect(left.filter((key) => !key.startsWith('queue:'))).toEqual([]);
    const queue = cluster.nodes().find(({ id }) => id === heir.id)?.client ?? expect.unreachable();
    for (const key of left.filter((name) => cluster.primaryOf(slotOf(name)) === dying))
      expect(await queue.lrange(key, 0, -1)).toEqual(['real']);
  });

  test('while seeded entries are taken out: none comes back', async () => {
    const [, , dying = expect.unreachable()] = cluster.primaries;
    await seed(dataContext(profile()));
    const emit = once(takingUsers, () => dying.signal('SIGKILL'));
    const { receipt } = await cleanup({ ...dataContext(profile()), emit }, { dryRun: false, seeded: true });
    expect(receipt.proven).toBe(true);
    expect(await keysNow()).toEqual([]);
  });

  test('after the sweeps, whose deletes its replica had not received: what is back is removed again', async () => {
    const [dying = expect.unreachable()] = cluster.primaries;
    const [heir = expect.unreachable()] = cluster.replicas;
    await seed(dataContext(profile()));
    await fill();
    await dying.client.call('WAIT', 1, 10_000);
    heir.signal('SIGSTOP');
    await dying.client.call('CLIENT', 'KILL', 'TYPE', 'replica');
    const emit = once(takingUsers, () => {
      dying.signal('SIGKILL');
      heir.signal('SIGCONT');
    });
    const { receipt, reasons } = await cleanup({ ...dataContext(profile()), emit }, { dryRun: false, seeded: true });
    expect([reasons, receipt.proven]).toEqual([[], true]);
    expect((await keysNow()).filter((key) => !key.startsWith('queue:'))).toEqual([]);
    for (const key of await keysNow()) expect([key, await listOf(key)]).toEqual([key, ['real']]);
  });

  test('and what was written before a conflict is taken back all the same', async () => {
    const [dying = expect.unreachable()] = cluster.primaries;
    const theirs = 'user:user-19999';
    const node = cluster.primaryOf(slotOf(theirs));
    const victim = node === dying ? (cluster.primaries[1] ?? dying) : dying;
    let set: Promise<unknown> | undefined;
    const emit = once(halfway, () => {
      set = node.client.set(theirs, 'theirs').then(() => victim.signal('SIGKILL'));
    });
    await expect(seed({ ...dataContext(profile()), emit })).rejects.toMatchObject({ reason: 'seeding-failed' });
    await set;
    expect(await keysNow()).toEqual([theirs]);
  });
});

test('a replica that is told to take over while seeding and cleaning loses nothing', async () => {
  const [first = expect.unreachable(), second = expect.unreachable()] = cluster.replicas;
  let failover: Promise<unknown> | undefined;
  const takeOver = (replica: ClusterNode) => () => {
    failover = replica.client.call('CLUSTER', 'FAILOVER');
  };
  const { stores } = await seed({ ...dataContext(profile()), emit: once(halfway, takeOver(first)) });
  await failover;
  expect(stores).toMatchObject([{ created: rows }, { created: 2000 }]);
  await promoted(first);
  await expectAllSeeded();
  const { receipt } = await cleanup(
    { ...dataContext(profile()), emit: once(takingUsers, takeOver(second)) },
    { dryRun: false, seeded: true },
  );
  await failover;
  await promoted(second);
  expect(receipt.proven).toBe(true);
  expect(await keysNow()).toEqual([]);
});

test('a primary that hangs is left for its successor', async () => {
  const [hanging = expect.unreachable()] = cluster.primaries;
  const { stores } = await seed({ ...dataContext(profile()), emit: once(halfway, () => hanging.signal('SIGSTOP')) });
  expect(stores).toMatchObject([{ created: rows }, { created: 2000 }]);
  hanging.signal('SIGCONT');
  await expect.poll(() => hanging.client.role().then(String), { timeout: 20_000 }).toMatch(/^slave/);
  await expectAllSeeded();
});

test('slots that move all the while lose and leave nothing', async () => {
  await cluster.patient();
  await fill();
  const over = new AbortController();
  const moving = moveSlots(over.signal);
  try {
    expect((await seed(dataContext(profile()))).stores).toMatchObject([
      { created: rows, writtenAgain: 0 },
      { created: 2000, writtenAgain: 0 },
    ]);
    expect((await seed(dataContext(profile()))).stores).toMatchObject([{ alreadyThere: rows }, { alreadyThere: 2000 }]);
    const { receipt } = await cleanup(dataContext(profile()), { dryRun: false, seeded: true });
    expect(receipt.proven).toBe(true);
  } finally {
    over.abort();
    expect(await moving).toBeGreaterThan(10);
  }
  expect((await keysNow()).filter((key) => !key.startsWith('queue:'))).toEqual([]);
});

/** Moves slots from each primary to the next, with the keys in them, as `redis-cli --cluster reshard` does; hands back how many. */
async function moveSlots(signal: AbortSignal): Promise<number> {
  let moved = 0;
  const owners = Array.from({ length: 16_384 }, (_, slot) => cluster.primaries.indexOf(cluster.primaryOf(slot)));
  for (let slot = 0; !signal.aborted; slot = (slot + 997) % 16_384, moved++) {
    while (!(await isSettled(cluster)));
    const from = cluster.primaries[owners[slot] ?? 0] ?? expect.unreachable();
    owners[slot] = ((owners[slot] ?? 0) + 1) % 3;
    const to = cluster.primaries[owners[slot] ?? 0] ?? expect.unreachable();
    await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    for (;;) {
      const keys = await from.client.call('CLUSTER', 'GETKEYSINSLOT', slot, 100);
      if (!Array.isArray(keys) || keys.length === 0) break;
      await from.client.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys.map(String));
    }
    for (const node of [to, from]) await node.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
  }
  return moved;
}
