/*
 * A random keyspace: what others have in it, with look-alikes; sets that a profile seeds; what a test leaves; and at most one hazard.
 * All of it comes from one number, so that a failing one replays.
 */

/** What is known to be wrong with a keyspace. */
export type Hazard = 'none' | 'conflict' | 'changed' | 'stranger' | 'full' | 'no-members';

/** A signal that ends a command, so long after it has said something. */
export interface Strike {
  readonly command: 'seed' | 'cleanup';
  readonly signal: 'SIGKILL' | 'SIGINT';
  readonly ms: number;
}

/** A command that puts something under a key. */
export type Write = readonly [key: string, command: string, ...words: (string | number)[]];

export interface Keyspace {
  readonly hazard: Hazard;
  readonly sets: Readonly<Record<string, { readonly key: string; readonly rows: number; readonly value: unknown; readonly as?: string }>>;
  /** The entries of `cleanup.keys`. */
  readonly entries: readonly Record<string, unknown>[];
  readonly receipt: string;
  /** What others have there, before anything is seeded. */
  readonly others: readonly Write[];
  /** What the test leaves behind, in keys of its own and in collections of others. */
  readonly left: readonly Write[];
  /** How many seeded keys expire while the test runs. */
  readonly expiring: number;
  /** Whether servers evict keys that have a time to live, between the seed and the cleanup. */
  readonly evicting: boolean;
  /** So many bytes are free while the sets go in, of servers that evict: what is seeded fits, or is refused. */
  readonly room?: number;
  readonly strike?: Strike;
}

/** A number from 0 on, below `below`. */
export type Draw = (below: number) => number;

/** Numbers that look like chance, always the same for a seed (mulberry32). */
export function drawing(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const prefix = 'load-test-user-';

/** Templates of keys, each with keys of others that look like theirs where a set has so many rows. */
const templates: readonly (readonly [template: string, alike: (rows: number) => string[]])[] = [
  [
    'user:user-{n}',
    (rows) => [`user:user-${rows + 1}`, 'user:user-0', 'user:user-01', 'user:USER-1', 'user:user-1 ', 'user:user-١', 'user:user-'],
  ],
  ['p:{n}:x', (rows) => [`p:${rows + 1}:x`, 'p:1:X', 'p:01:x', 'p:1:x:x', 'p::x', 'p:-1:x']],
  ['sess:{uuid}', () => ['sess:550e8400-e29b-41d4-a716-446655440000', 'sess:550e8400-e29b-8fff-8716-446655440000', 'sess:']],
  ['{{t{n}}}:h', (rows) => [`{t${rows + 1}}:h`, '{t1}:H', '{t01}:h', 't1:h']],
  ['a{pick:x|yy}:u{n}', (rows) => ['az:u1', 'a:u1', 'axyy:u1', `ax:u${rows + 1}`, 'ax:u01', 'ax:u1-']],
  ['num{n+1000}', (rows) => ['num1000', 'num01001', `num${1001 + rows}`, 'num1', 'num1001.0']],
  ['é💥{n}', (rows) => [`é💥${rows + 1}`, 'e💥1', 'é💥1'.normalize('NFD'), 'é1']],
];

/** Values, each with the form that it is stored in. */
const values: readonly (readonly [value: unknown, as?: string])[] = [
  ['text {n} {pick:a|b}'],
  [{ id: 'user-{n}', level: '{int:1..9}', tags: ['{n}'] }],
  [{ id: 'user-{n}', town: 'Ulm' }, 'hash'],
  [['a-{n}', 'b', 'b'], 'list'],
  [['a-{n}', 'b'], 'set'],
  [{ 'm-{n}': 1, b: 2.5 }, 'zset'],
];

const kinds = ['list', 'set', 'zset', 'hash'] as const;

/** A keyspace; of a cluster nothing is flushed, and no memory is short. */
export function keyspace(draw: Draw, isCluster: boolean): Keyspace {
  const hazards: Hazard[] = ['conflict', 'changed', 'no-members', ...(isCluster ? [] : (['stranger', 'full'] as const))];
  const hazard = draw(10) < 7 ? 'none' : (hazards[draw(hazards.length)] ?? 'none');
  const chosen = shuffled(draw, templates).slice(0, 1 + draw(3));
  const rows = chosen.map(() => (hazard === 'full' ? 8000 : 1 + draw(300)));
  const sets = Object.fromEntries(chosen.map(([key], index) => [`set${index}`, setOf(draw, key, rows[index] ?? 1)]));
  const alike = chosen.flatMap(([, look], index) => shuffled(draw, look(rows[index] ?? 1)).slice(0, 4));
  const queues = kinds.map((kind) => ({ kind, key: `queue:${kind}` }));
  const hasQueues = draw(2) === 0 || hazard === 'no-members';
  return {
    hazard,
    sets,
    entries: [
      { match: `cache/cart:${prefix}*` },
      ...(draw(2) === 0 ? [{ match: `cache/*:${prefix}*:tmp` }] : []),
      ...(hasQueues ? [{ key: 'cache/queue:*', members: `${prefix}*` }] : []),
      ...(hazard === 'stranger' ? [{ flush: 'cache' }] : []),
    ],
    receipt: ['off', 'count', 'sample', 'full'][draw(4)] ?? 'count',
    others: [
      ...alike.map((key) => some(draw, key)),
      ...Array.from({ length: draw(200) }, (_, n) => some(draw, `other:${n}`)),
      ['cart:load-test-userX-1', 'SET', 'x'],
      ['cart:LOAD-TEST-USER-1', 'SET', 'x'],
      ['cart:1:load_test_user-1', 'SET', 'x'],
      ['log', 'XADD', '*', 'id', `${prefix}1`],
      ...(hasQueues ? queues.flatMap(({ kind, key }) => members(kind, key, ['real-1', 'load-test-userX', 'real-2'])) : []),
      ...(hazard === 'no-members' ? [['queue:text', 'SET', `${prefix}1`] as const] : []),
    ],
    left: [
      ...Array.from({ length: draw(300) }, (_, n) => some(draw, `cart:${prefix}${n}`)),
      ...(hasQueues ? queues.flatMap(({ kind, key }) => members(kind, key, idsOf(draw(700)))) : []),
    ],
    expiring: draw(3) === 0 ? 1 + draw(3) : 0,
    evicting: draw(3) === 0,
    ...(draw(6) === 0 ? { room: 200_000 + draw(600_000) } : {}),
    ...(draw(3) === 0 ? { strike: strikeOf(draw) } : {}),
  };
}

function strikeOf(draw: Draw): Strike {
  return { command: draw(2) === 0 ? 'seed' : 'cleanup', signal: draw(2) === 0 ? 'SIGKILL' : 'SIGINT', ms: draw(400) };
}

function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${n}`);
}

function setOf(draw: Draw, key: string, rows: number): Keyspace['sets'][string] {
  const [value, as] = values[draw(values.length)] ?? ['x'];
  return { key: `cache/${key}`, rows, value, ...(as === undefined ? {} : { as }), ...(draw(2) === 0 ? { ttl: '1h' } : {}) };
}

/** Something of any type under a key. */
function some(draw: Draw, key: string): Write {
  const text = `value ${draw(1000)}`;
  const all: Write[] = [
    [key, 'SET', text],
    [key, 'SET', text, 'EX', 5000],
    [key, 'RPUSH', text, 'b', text],
    [key, 'SADD', text, 'b'],
    [key, 'ZADD', draw(9), text],
    [key, 'HSET', 'field', text],
  ];
  return all[draw(all.length)] ?? [key, 'SET', text];
}

function members(kind: (typeof kinds)[number], key: string, ids: readonly string[]): Write[] {
  if (ids.length === 0) return [];
  if (kind === 'list') return [[key, 'RPUSH', ...ids]];
  if (kind === 'set') return [[key, 'SADD', ...ids]];
  return [kind === 'zset' ? [key, 'ZADD', ...ids.flatMap((id, n) => [n, id])] : [key, 'HSET', ...ids.flatMap((id) => [id, 'x'])]];
}

function shuffled<T>(draw: Draw, list: readonly T[]): T[] {
  return list
    .map((item) => [draw(1_000_000), item] as const)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item);
}
