import { errorMessage } from '../core/errors.js';
import type { MonitorLook } from '../core/monitors.js';
import type { Clock } from '../core/os.js';
import { countedBy } from '../metrics/servers/series.js';
import type { RedisStore } from '../profile/sections/schema.js';
import { addressText } from '../stores/redis/connection/address.js';
import { translate } from '../stores/redis/connection/errors.js';
import type { RedisNode } from '../stores/redis/connection/node.js';
import { openPrimaries, type Primaries } from '../stores/redis/watch.js';
import { held } from './kind/held.js';
import { numbersIn } from './kind/numbers.js';
import { saidNo } from './kind/said-no.js';
import type { MonitorOf, OpenMonitor } from './kind/types.js';

/** A Redis by INFO alone: a server, or every primary of a cluster as it is at the moment. */
export const redis: OpenMonitor<'redis'> = (monitor, context) => {
  const config = redisOf(monitor);
  const source = config.cluster?.join(', ') ?? addressOf(config.url);
  const primaries = held<Primaries>({
    open: () => openPrimaries(monitor.name, config, { ...context, replyMs: monitor.timeout * patienceShare }),
    close: (open) => open.close(),
    leavesWhole: saidNo,
  });
  const unlimited = new Set<string>();
  const passed = secondsPassed(context.clock);
  let before: readonly string[] = [];
  return [
    {
      source,
      drop: primaries.drop,
      remarks: () => [...unlimited].map(withoutLimit),
      look: () =>
        primaries.use(async (open) => {
          const looks = await open.each((node) => lookAt(node, unlimited, passed));
          const [first] = looks;
          if (first?.result.status === 'rejected' && looks.every(({ result }) => result.status === 'rejected'))
            throw translate(first.result.reason, monitor.name, addressText(first.address));
          const found = looks.map(({ address, result }) => asLook(addressText(address), result));
          const now = found.map((look) => look.source);
          const gone = before.filter((name) => !now.includes(name)).map((name): MonitorLook => ({ source: name, gone: true }));
          before = now;
          return [...found, ...gone];
        }),
    },
  ];
};

/** A node that hangs leaves the others time to be told. */
const patienceShare = 0.8;

/** What a monitor of a Redis is about: a store, or a server by its URL. */
export function redisOf({
  of,
  url,
  password,
}: Pick<MonitorOf<'redis' | 'queue'>, 'of' | 'url'> & { readonly password?: string }): RedisStore {
  if (of?.kind === 'redis') return of;
  return { kind: 'redis', ...(url === undefined ? {} : { url }), ...(password === undefined ? {} : { password }) };
}

function addressOf(url: string | undefined): string {
  if (url === undefined || !URL.canParse(url)) return 'redis';
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || '6379'}`;
}

function withoutLimit(source: string): string {
  return `${source}: maxmemory is 0: memory is held against all memory of its machine.`;
}

function asLook(source: string, result: PromiseSettledResult<MonitorLook['values']>): MonitorLook {
  if (result.status === 'rejected') return { source, error: errorMessage(result.reason) };
  return { source, ...(result.value === undefined ? {} : { values: result.value }) };
}

async function lookAt(node: RedisNode, unlimited: Set<string>, passed: ReturnType<typeof secondsPassed>) {
  const info = fieldsOf(String(await node.ask('INFO')));
  const number = (name: string) => Number(info.get(name) ?? Number.NaN);
  const hasLimit = number('maxmemory') > 0;
  if (hasLimit) unlimited.delete(node.name);
  else unlimited.add(node.name);
  // Redis before 6.2 tells what the whole process used, and has hardly any other thread.
  const thread = info.has('used_cpu_user_main_thread') ? '_main_thread' : '';
  return numbersIn({
    // A name may lead to another server in mid-run, as the endpoint of a primary does; 48 bits of its id fit a number.
    [countedBy]: Number.parseInt(info.get('run_id')?.slice(0, 12) ?? '', 16),
    threadSeconds: number(`used_cpu_user${thread}`) + number(`used_cpu_sys${thread}`),
    seconds: passed(node.name, info.has('server_time_usec') ? number('server_time_usec') / 1e6 : undefined),
    memoryUsed: number('used_memory'),
    memoryMax: hasLimit ? number('maxmemory') : number('total_system_memory'),
    clients: number('connected_clients'),
    clientsMax: number('maxclients'),
    blocked: number('blocked_clients'),
    commands: number('total_commands_processed'),
    hits: number('keyspace_hits'),
    lookups: number('keyspace_hits') + number('keyspace_misses'),
    evicted: number('evicted_keys'),
    rejected: number('rejected_connections'),
  });
}

/** More than this, in seconds, no answer is late by: the clock of the server was set. */
const clockSetBy = 2;

/**
 * Counts the seconds of each server, by its own clock: what an answer is late by is not in them. Over a moment in which that was set, by
 * ours.
 */
export function secondsPassed(clock: Pick<Clock, 'elapsed'>): (server: string, theirs?: number) => number {
  const counted = new Map<string, { readonly theirs: number; readonly ours: number; readonly sum: number }>();
  return (server, told) => {
    const ours = clock.elapsed() / 1000;
    const theirs = told ?? ours;
    const before = counted.get(server) ?? { theirs, ours, sum: 0 };
    const [byTheirs, byOurs] = [theirs - before.theirs, ours - before.ours];
    const sum = before.sum + (Math.abs(byTheirs - byOurs) > clockSetBy ? byOurs : byTheirs);
    counted.set(server, { theirs, ours, sum });
    return sum;
  };
}

/** The lines of INFO: `name:value`. */
function fieldsOf(info: string): ReadonlyMap<string, string> {
  return new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
}
