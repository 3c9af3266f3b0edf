import { randomUUID } from 'node:crypto';
import { runOne, type Servers } from '../connection/servers.js';

type Fits = (element: Buffer) => boolean;

/** As many elements as are looked at in one go: a millisecond or so, in which the server serves no other client. */
const windowElements = 500;

/** How many elements of a list fit. */
export async function countInList(servers: Servers, key: string | Buffer, fits: Fits): Promise<number> {
  let count = 0;
  for (let from = 0; ; from += windowElements) {
    const elements = await readWindow(servers, key, from);
    if (elements.length === 0) return count;
    count += elements.filter(fits).length;
  }
}

/**
 * Removes the elements that match, window by window, by their values: those that look the same cannot be told apart,
 * and all of them go. Who takes others off the list meanwhile moves the rest along: what is passed over by that, the
 * next sweep finds.
 */
export async function removeFromList(servers: Servers, key: string | Buffer, fits: Fits, tell: (count: number) => void): Promise<void> {
  const length = Number((await runOne(servers, key, 'LLEN', key)).value);
  let passed = 0;
  // Who goes on filling the list must not keep us for ever.
  for (let round = 2 * Math.ceil(length / windowElements) + 2; round > 0; round--) {
    const elements = await readWindow(servers, key, passed);
    if (elements.length === 0) return;
    const fitting = new Map(elements.filter(fits).map((element) => [element.toString('latin1'), element]));
    if (fitting.size === 0) passed += elements.length;
    else tell(await removeValues(servers, key, passed, [...fitting.values()]));
  }
}

async function readWindow(servers: Servers, key: string | Buffer, from: number): Promise<Buffer[]> {
  const { value } = await runOne(servers, key, 'LRANGE', key, from, from + windowElements - 1);
  return Array.isArray(value) ? value.filter((element) => Buffer.isBuffer(element)) : [];
}

/** Takes these values out of one window; hands back how many elements went. */
async function removeValues(servers: Servers, key: string | Buffer, from: number, values: readonly Buffer[]): Promise<number> {
  const window = [from, from + windowElements - 1];
  const { value } = await runOne(servers, key, 'EVAL', removeInWindow, 1, key, ...window, randomUUID(), ...values);
  return Number(value);
}

/**
 * LREM for each value would walk the whole list for each. So the elements become something that is on no list, which
 * one LREM removes them from the nearer end; in one step on the server, so that no other client sees it.
 */
const removeInWindow = `local gone, wanted = 0, {}
for i = 4, #ARGV do wanted[ARGV[i]] = true end
for i, element in ipairs(redis.call('LRANGE', KEYS[1], ARGV[1], ARGV[2])) do
  if wanted[element] then
    redis.call('LSET', KEYS[1], ARGV[1] + i - 1, ARGV[3])
    gone = gone + 1
  end
end
local isNearTail = 2 * ARGV[1] > redis.call('LLEN', KEYS[1])
if gone > 0 then redis.call('LREM', KEYS[1], isNearTail and -gone or gone, ARGV[3]) end
return gone`;
