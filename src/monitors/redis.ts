import { errorMessage } from '../core/errors.js';
import type { MonitorLook } from '../core/monitors.js';
import type { RedisStore } from '../profile/sections/schema.js';
import { addressText } from '../stores/redis/connection/address.js';
import { translate } from '../stores/redis/connection/errors.js';
import type { RedisNode } from '../stores/redis/connection/node.js';
import { openPrimaries, type Primaries } from '../stores/redis/watch.js';
import { held } from './kind/held.js';
import { numbersIn } from './kind/numbers.js';
import { saidNo } from './kind/said-no.js';
import type { MonitorContext, MonitorOf, OpenMonitor } from './kind/types.js';

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
  let before: readonly string[] = [];
  return [
    {
      source,
      drop: primaries.drop,
      remarks: () => [...unlimited].map(withoutLimit),
      look: () =>
        primaries.use(async (open) => {
          const looks = await open.each((node) => lookAt(node, unlimited, context));
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

async function lookAt(node: RedisNode, unlimited: Set<string>, { clock }: MonitorContext) {
  const info = fieldsOf(String(await node.ask('INFO')));
  const number = (name: string) => Number(info.get(name) ?? Number.NaN);
  const hasLimit = number('maxmemory') > 0;
  if (hasLimit) unlimited.delete(node.name);
  else unlimited.add(node.name);
  // Redis before 6.2 tells what the whole process used, and has hardly any other thread.
  const thread = info.has('used_cpu_user_main_thread') ? '_main_thread' : '';
  return numbersIn({
    threadSeconds: number(`used_cpu_user${thread}`) + number(`used_cpu_sys${thread}`),
    seconds: info.has('server_time_usec') ? number('server_time_usec') / 1e6 : clock.elapsed() / 1000,
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

/** The lines of INFO: `name:value`. */
function fieldsOf(info: string): ReadonlyMap<string, string> {
  return new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
}
