import type { OtherRows, Proof } from '../../../core/receipt.js';
import { sha256Hex } from '../../../core/uuids.js';
import type { RedisStore } from '../../../profile/sections/schema.js';
import type { StoreTask } from '../../kind/types.js';
import { type Servers, valueIn } from '../connection/servers.js';
import { globMatcher } from '../keys/glob.js';
import { ownAmong, ownKeys } from '../keys/own-keys.js';
import { scanKeys } from '../keys/scan.js';

/**
 * Counts, at every server, the keys that this profile neither seeds nor takes out, nor takes members out of, and sums up what
 * they hold. Not where the whole index is emptied: their loss was accepted.
 */
export async function sumUpOthers(open: () => Promise<Servers>, config: RedisStore, task: StoreTask, proof: Proof): Promise<OtherRows[]> {
  const isUsed = task.entries.length > 0 || task.keys.some((entry) => !('flush' in entry));
  if (!isUsed) return [];
  const servers = await open();
  if (servers.index === config.testDatabase && task.keys.some((entry) => 'flush' in entry && entry.everything === true)) return [];
  const isOwn = ownKeys(task);
  const withMembers = task.keys.flatMap((entry) => ('members' in entry ? [globMatcher(entry.key)] : []));
  const sums = await servers.everywhere(async (node) => {
    const ours = new Set<string>();
    const summed = new Set<string>();
    let sum = 0n;
    for await (const keys of scanKeys(node)) {
      const own = await ownAmong(servers, task, isOwn, keys);
      const used = keys.filter((key) => withMembers.some((fits) => fits(key)));
      const here = new Set([...own, ...used]);
      for (const key of here) ours.add(key.toString('latin1'));
      sum += await sumOf(servers, proof === 'count' ? [] : keys.filter((key) => !here.has(key) && isNew(key, proof, summed)));
    }
    return { rows: Number(await node.ask('DBSIZE')) - ours.size, ...(proof === 'count' ? {} : { sum: String(sum) }) };
  });
  return [...sums].map(([node, counted]) => ({ store: servers.store, shard: null, node, table: 'keys', ...counted }));
}

/** Whether a key is to be summed up, and was not: SCAN may hand it out twice. Of a sample it is one in a hundred, always the same. */
function isNew(key: Buffer, proof: Proof, summed: Set<string>): boolean {
  const name = sha256Hex(key.toString('latin1')).slice(0, 16);
  if (summed.has(name) || (proof === 'sample' && Number.parseInt(name.slice(0, 8), 16) % 100 !== 0)) return false;
  summed.add(name);
  return true;
}

/** The sum of 64 bits of a hash of each key and what it holds, made by the servers. */
async function sumOf(servers: Servers, keys: readonly Buffer[]): Promise<bigint> {
  const answers = await servers.run(keys.map((key) => ({ key, words: ['EVAL', hashOfKey, 1, key] })));
  return answers.reduce((sum, answer) => sum + BigInt(`0x${String(valueIn(servers, answer)).slice(0, 16) || '0'}`), 0n);
}

/**
 * The order of a set's members and a hash's fields means nothing, and is another one after a restart: their hashes are added
 * up, as far as a number of Lua's holds them. A type that is not known here is taken as DUMP writes it. Without time to live.
 */
const hashOfKey = `local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return '' end
local function whole(parts)
  local sized = {}
  for i, part in ipairs(parts) do sized[i] = #part .. ':' .. part end
  return redis.sha1hex(table.concat(sized))
end
local function anyhow(parts, width)
  local sum = 0
  for i = 1, #parts, width do
    local hash = width == 2 and whole({parts[i], parts[i + 1]}) or whole({parts[i]})
    sum = (sum + tonumber(hash:sub(1, 12), 16)) % 2 ^ 48
  end
  return string.format('%.0f', sum)
end
local held
if kind == 'string' then held = redis.call('GET', KEYS[1])
elseif kind == 'list' then held = whole(redis.call('LRANGE', KEYS[1], 0, -1))
elseif kind == 'zset' then held = whole(redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'))
elseif kind == 'set' then held = anyhow(redis.call('SMEMBERS', KEYS[1]), 1)
elseif kind == 'hash' then held = anyhow(redis.call('HGETALL', KEYS[1]), 2)
else held = redis.call('DUMP', KEYS[1]) end
return whole({kind, KEYS[1], held})`;
