import type { Milliseconds } from '../../../core/quantities.js';
import { replyWord } from '../connection/errors.js';
import { type Answer, type KeyCommand, type Servers, valueIn } from '../connection/servers.js';
import type { Entry, Fields } from './entries.js';

/** Creates an entry where nothing is under its key. Answers as {@link isCreated} reads it. */
export function createCommand({ key, value }: Entry, ttlMs: Milliseconds | undefined): KeyCommand {
  if (typeof value !== 'string') return { key, words: ['EVAL', createHash, 1, key, ttlMs ?? '', ...value] };
  return { key, words: ttlMs === undefined ? ['SET', key, value, 'NX'] : ['SET', key, value, 'PX', ttlMs, 'NX'] };
}

/** All of a hash or nothing: whoever looks, and wherever we are killed. */
const createHash = `if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[1] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1`;

/** Whether the answer to {@link createCommand} says that it created the entry. */
export function isCreated(value: unknown): boolean {
  return value === 1 || (Buffer.isBuffer(value) && value.toString() === 'OK');
}

/** Begins an entry's time to live anew; without one it stays for ever. */
export function refreshCommand({ key }: Entry, ttlMs: Milliseconds | undefined): KeyCommand {
  return { key, words: ttlMs === undefined ? ['PERSIST', key] : ['PEXPIRE', key, ttlMs] };
}

/** Deletes an entry if it still is as it was seeded: compared and deleted in one step, so that no change is lost. Answers 1 or 0. */
export function unlinkWhenEqual({ key, value }: Entry): KeyCommand {
  if (typeof value === 'string') return { key, words: ['EVAL', unlinkEqualText, 1, key, value] };
  return { key, words: ['EVAL', unlinkEqualHash, 1, key, ...value] };
}

const unlinkEqualText = `if redis.call('TYPE', KEYS[1]).ok ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])`;

const unlinkEqualHash = `if redis.call('TYPE', KEYS[1]).ok ~= 'hash' or redis.call('HLEN', KEYS[1]) ~= #ARGV / 2 then return 0 end
for i = 1, #ARGV, 2 do if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end end
return redis.call('UNLINK', KEYS[1])`;

/** An entry beside what is under its key. */
export interface Compared {
  readonly entry: Entry;
  readonly state: 'absent' | 'equal' | 'different';
  /** What an equal one holds: of `{now}`, another day's. */
  readonly stored?: string | Fields;
  /** What is there, and what should be, for people. */
  readonly found: string;
  readonly wanted: string;
  /** host:port of the server that was asked. */
  readonly node: string;
}

/** Holds entries against what is there, byte by byte. */
export async function compare(servers: Servers, entries: readonly Entry[]): Promise<Compared[]> {
  const answers = await servers.run(entries.map(lookCommand));
  return entries.map((entry, index) => compareOne(servers, entry, answers[index]));
}

/** One command an entry: two could be answered by two servers, before and after a failover. */
function lookCommand({ key, value }: Entry): KeyCommand {
  return { key, words: typeof value === 'string' ? ['GET', key] : ['EVAL', lookAtHash, 1, key, ...evenOnes(value)] };
}

/** Answers how many fields there are, and then the values of those that are asked for; or of what type the key is. */
const lookAtHash = `local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' then return kind end
local found = {redis.call('HLEN', KEYS[1])}
for i = 1, #ARGV do found[i + 1] = redis.call('HGET', KEYS[1], ARGV[i]) end
return found`;

function compareOne(servers: Servers, entry: Entry, answer: Answer | undefined): Compared {
  const { value, fits } = entry;
  const difference =
    replyWord(answer?.error) === 'WRONGTYPE'
      ? { ...different, found: 'no string but a list, hash or the like', wanted: shown(value) }
      : typeof value === 'string'
        ? compareText(value, valueIn(servers, answer), fits)
        : compareHash(value, valueIn(servers, answer), fits);
  return { entry, node: answer?.node ?? '', ...difference };
}

type Difference = Pick<Compared, 'state' | 'found' | 'wanted' | 'stored'>;

const absent: Difference = { state: 'absent', found: 'nothing', wanted: '' };
const equal: Difference = { state: 'equal', found: '', wanted: '' };
const different = { state: 'different' } as const;

function compareText(wanted: string, found: unknown, fits: Entry['fits']): Difference {
  if (!Buffer.isBuffer(found)) return absent;
  if (isAsWanted(found, wanted, fits?.[0])) return { ...equal, stored: found.toString() };
  return { ...different, found: shorten(found.toString()), wanted: shorten(wanted) };
}

function compareHash(wanted: Fields, found: unknown, fits: Entry['fits']): Difference {
  if (!Array.isArray(found)) {
    const type = String(found);
    return type === 'none' ? absent : { ...different, found: `no hash but a ${type}`, wanted: shown(wanted) };
  }
  const [count, ...values]: unknown[] = found;
  const fields = evenOnes(wanted).map((name, index) => {
    const [text = '', pattern] = [wanted[2 * index + 1], fits?.[2 * index + 1]];
    return { name, wanted: text, found: values[index], isEqual: isAsWanted(values[index], text, pattern) };
  });
  const odd = fields.filter(({ isEqual }) => !isEqual);
  if (odd.length > 0)
    return {
      ...different,
      found: shorten(odd.map((field) => `${field.name}: ${field.found ?? 'nothing'}`).join(', ')),
      wanted: shorten(odd.map((field) => `${field.name}: ${field.wanted}`).join(', ')),
    };
  if (count !== fields.length) return { ...different, found: `a hash of ${count} fields`, wanted: `one of ${fields.length}` };
  return { ...equal, stored: fields.flatMap(({ name, found: text }) => [name, String(text)]) };
}

function isAsWanted(found: unknown, wanted: string, fits: RegExp | undefined): boolean {
  if (!Buffer.isBuffer(found)) return false;
  return fits === undefined ? found.equals(Buffer.from(wanted)) : fits.test(found.toString());
}

function evenOnes(fields: Fields): string[] {
  return fields.filter((_, index) => index % 2 === 0);
}

function shown(value: string | Fields): string {
  return typeof value === 'string' ? shorten(value) : `a hash of ${value.length / 2} fields`;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
