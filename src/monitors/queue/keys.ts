import { LoadctlError } from '../../core/errors.js';
import type { MonitorValues } from '../../core/monitors.js';
import { placeText, storePlaces } from '../../plan/hosts.js';
import type { RedisStore } from '../../profile/sections/schema.js';
import { seedIndex } from '../../stores/redis/connection/login.js';
import { runOne, type Servers } from '../../stores/redis/connection/servers.js';
import { openServers } from '../../stores/redis/servers/open.js';
import { held } from '../kind/held.js';
import { saidNo } from '../kind/said-no.js';
import type { MonitorContext, MonitorOf, Probe } from '../kind/types.js';

/** What waits in lists, sorted sets or a stream's group of a Redis. */
export function keysProbe(monitor: MonitorOf<'queue'>, config: RedisStore, context: MonitorContext): Probe {
  const store = monitor.store ?? monitor.name;
  const source = storePlaces(config).map(placeText).join(', ');
  const never = new AbortController().signal;
  const servers = held<Servers>({
    open: () => openServers(config, seedIndex(store, config), { ...context, store, emit: () => undefined, signal: never }),
    close: (open) => open.close(),
    leavesWhole: saidNo,
  });
  const missing = new Set<string>();
  return {
    source,
    drop: servers.drop,
    remarks: () => [...missing].map((key) => withoutKey(key, seedIndex(store, config))),
    look: () => servers.use(async (open) => [{ source, values: await valuesOf(open, monitor, missing) }]),
  };
}

/** A name that is wrong looks like an empty queue: Redis keeps no key for one. */
function withoutKey(key: string, index: number): string {
  return `there is no key ${key} in database ${index}: an empty queue has none either. Correct it, or the store's database, unless nothing waits now.`;
}

async function valuesOf(
  servers: Servers,
  { list = [], zset = [], stream, group }: MonitorOf<'queue'>,
  missing: Set<string>,
): Promise<MonitorValues> {
  if (stream !== undefined && group !== undefined) return streamValues(servers, stream, group);
  const count = async (command: string, key: string) => {
    const length = Number((await runOne(servers, key, command, key)).value);
    if (length === 0) missing.add(key);
    else missing.delete(key);
    return length;
  };
  const counts = await Promise.all([...list.map((key) => count('LLEN', key)), ...zset.map((key) => count('ZCARD', key))]);
  return { depth: counts.reduce((sum, length) => sum + length, 0) };
}

/** What the group has not been handed: its lag, and how long the first of that has waited. */
async function streamValues(servers: Servers, stream: string, group: string): Promise<MonitorValues> {
  const { value } = await runOne(servers, stream, 'XINFO', 'GROUPS', stream);
  const groups = (Array.isArray(value) ? value : []).map(fieldsOf);
  const own = groups.find((fields) => String(fields.get('name')) === group);
  if (own === undefined)
    throw new LoadctlError('unavailable', `the stream ${stream} has no group ${group}`, {
      hint: 'Create it, or correct its name in the profile.',
    });
  const lag = own.get('lag');
  if (lag === null || lag === undefined)
    throw new LoadctlError('unavailable', `Redis does not know the lag of the group ${group}`, {
      hint: 'Redis before 7 never reports it, and none does after entries were deleted from the middle of the stream.',
    });
  return {
    depth: Number(lag),
    pending: Number(own.get('pending')),
    ageMs: await oldest(servers, stream, String(own.get('last-delivered-id'))),
  };
}

function fieldsOf(list: unknown): ReadonlyMap<string, unknown> {
  const words = Array.isArray(list) ? list : [];
  return new Map(words.flatMap((word, index) => (index % 2 === 0 ? [[String(word), words[index + 1]] as const] : [])));
}

/** The id of an entry begins with the server's time when it came. */
async function oldest(servers: Servers, stream: string, delivered: string): Promise<number> {
  const { value } = await runOne(servers, stream, 'XRANGE', stream, `(${delivered}`, '+', 'COUNT', 1);
  const [entry] = Array.isArray(value) ? value : [];
  const [id] = Array.isArray(entry) ? entry : [];
  if (id === undefined) return 0;
  const { value: time } = await runOne(servers, stream, 'TIME');
  const [seconds, micros] = Array.isArray(time) ? time : [];
  return Math.max(0, Number(seconds) * 1000 + Number(micros) / 1000 - Number(String(id).split('-')[0]));
}
