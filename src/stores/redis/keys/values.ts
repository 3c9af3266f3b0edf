import type { Milliseconds } from '../../../core/quantities.js';
import { replyWord } from '../connection/errors.js';
import { type Answer, type KeyCommand, type Servers, valueIn } from '../connection/servers.js';
import type { Entry } from './entries.js';

/** Creates an entry where nothing is under its key: all of it or nothing, whoever looks. Answers as {@link isCreated} reads it. */
export function createCommand({ key, form, parts }: Entry, ttlMs: Milliseconds | undefined): KeyCommand {
  const [text = ''] = parts;
  if (form === 'string') return { key, words: ttlMs === undefined ? ['SET', key, text, 'NX'] : ['SET', key, text, 'PX', ttlMs, 'NX'] };
  return { key, words: ['EVAL', createCollection, 1, key, form, ttlMs ?? '', ...parts] };
}

const createCollection = `if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local form = ARGV[1]
for i = 3, #ARGV do
  if form == 'list' then redis.call('RPUSH', KEYS[1], ARGV[i])
  elseif form == 'set' then redis.call('SADD', KEYS[1], ARGV[i])
  elseif i % 2 == 1 and form == 'zset' then redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i])
  elseif i % 2 == 1 then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
if ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`;

/** Whether the answer to {@link createCommand} says that it created the entry. */
export function isCreated(value: unknown): boolean {
  return value === 1 || (Buffer.isBuffer(value) && value.toString() === 'OK');
}

/** Begins an entry's time to live anew; without one it stays for ever. */
export function refreshCommand({ key }: Entry, ttlMs: Milliseconds | undefined): KeyCommand {
  return { key, words: ttlMs === undefined ? ['PERSIST', key] : ['PEXPIRE', key, ttlMs] };
}

/** An entry beside what is under its key. */
export interface Compared {
  readonly entry: Entry;
  readonly state: 'absent' | 'equal' | 'different';
  /** What is there, part for part: what a later look is held against. Missing where it is of another form or size. */
  readonly stored?: readonly Buffer[];
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
function lookCommand({ key, form, parts }: Entry): KeyCommand {
  if (form === 'string') return { key, words: ['GET', key] };
  const asked = form === 'list' ? parts : form === 'set' ? parts : parts.filter((_, index) => index % 2 === 0);
  return { key, words: ['EVAL', lookAtCollection, 1, key, form, ...asked] };
}

/** Answers of what type the key is; where it is as asked also how large, and what it holds of what is asked for. */
const lookAtCollection = `local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= ARGV[1] then return {kind} end
local sizes = {hash = 'HLEN', list = 'LLEN', set = 'SCARD', zset = 'ZCARD'}
local found = {kind, redis.call(sizes[kind], KEYS[1])}
if kind == 'list' then
  for i, element in ipairs(redis.call('LRANGE', KEYS[1], 0, #ARGV - 2)) do found[i + 2] = element end
  return found
end
for i = 2, #ARGV do
  if kind == 'hash' then found[i + 1] = redis.call('HGET', KEYS[1], ARGV[i])
  elseif kind == 'zset' then found[i + 1] = redis.call('ZSCORE', KEYS[1], ARGV[i])
  else found[i + 1] = redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 1 and ARGV[i] end
end
return found`;

/** Deletes an entry if it still holds what a look found there: compared and deleted in one step. Answers 1 or 0. */
export function unlinkAsFound({ key, form }: Entry, stored: readonly Buffer[]): KeyCommand {
  return {
    key,
    words: ['EVAL', form === 'string' ? unlinkEqualText : unlinkEqualCollection, 1, key, ...(form === 'string' ? [] : [form]), ...stored],
  };
}

/** Deletes a text if it is this one. */
export const unlinkEqualText = `if redis.call('TYPE', KEYS[1]).ok ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])`;

const unlinkEqualCollection = `local kind = ARGV[1]
if redis.call('TYPE', KEYS[1]).ok ~= kind then return 0 end
local sizes = {hash = 'HLEN', list = 'LLEN', set = 'SCARD', zset = 'ZCARD'}
local width = (kind == 'hash' or kind == 'zset') and 2 or 1
if redis.call(sizes[kind], KEYS[1]) * width ~= #ARGV - 1 then return 0 end
if kind == 'list' then
  for i, element in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do if element ~= ARGV[i + 1] then return 0 end end
else
  for i = 2, #ARGV, width do
    if kind == 'hash' and redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end
    if kind == 'zset' and redis.call('ZSCORE', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end
    if kind == 'set' and redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then return 0 end
  end
end
return redis.call('UNLINK', KEYS[1])`;

function compareOne(servers: Servers, entry: Entry, answer: Answer | undefined): Compared {
  const node = answer?.node ?? '';
  if (replyWord(answer?.error) === 'WRONGTYPE')
    return { entry, node, state: 'different', found: 'no string but a list, hash or the like', wanted: shown(entry) };
  const value = valueIn(servers, answer);
  const held = entry.form === 'string' ? textHeld(value) : collectionHeld(entry, value);
  return { entry, node, ...held, ...(held.state === 'different' && held.stored === undefined ? {} : differenceIn(entry, held)) };
}

type Held = Omit<Compared, 'entry' | 'node'>;

const absent: Held = { state: 'absent', found: 'nothing', wanted: '' };

function textHeld(value: unknown): Held {
  return Buffer.isBuffer(value) ? { state: 'equal', stored: [value], found: '', wanted: '' } : absent;
}

function collectionHeld(entry: Entry, value: unknown): Held {
  const [kind, size, ...found]: unknown[] = Array.isArray(value) ? value : [];
  if (String(kind) === 'none') return absent;
  const width = entry.form === 'hash' || entry.form === 'zset' ? 2 : 1;
  const wanted = entry.parts.length / width;
  const wrong = (what: string): Held => ({ state: 'different', found: what, wanted: shown(entry) });
  if (String(kind) !== entry.form) return wrong(`no ${entry.form} but a ${String(kind)}`);
  const values = found.map((part) => (Buffer.isBuffer(part) ? part : Buffer.alloc(0)));
  const isWhole = found.length === wanted && found.every((part) => Buffer.isBuffer(part));
  if (Number(size) !== wanted && (entry.form !== 'hash' || isWhole)) return wrong(`a ${entry.form} of ${Number(size)}`);
  const stored = width === 1 ? values : values.flatMap((part, index) => [Buffer.from(entry.parts[2 * index] ?? ''), part]);
  return { state: isWhole ? 'equal' : 'different', stored, found: '', wanted: '' };
}

/** What of it is not as it would be written. */
function differenceIn(entry: Entry, { state, stored }: Held): Held {
  if (state === 'absent' || stored === undefined) return absent;
  const odd = entry.parts.flatMap((wanted, index) =>
    isAsWanted(entry, index, stored[index]) ? [] : [{ wanted, found: stored[index]?.toString() ?? '', index }],
  );
  if (odd.length === 0 && state === 'equal') return { state, stored, found: '', wanted: '' };
  const pair = (side: 'found' | 'wanted') =>
    entry.form === 'hash' || entry.form === 'zset'
      ? odd.map((part) => `${entry.parts[part.index - 1] ?? ''}: ${part[side] || 'nothing'}`).join(', ')
      : odd.map((part) => part[side]).join(', ');
  return { state: 'different', stored, found: shorten(pair('found')), wanted: shorten(pair('wanted')) };
}

function isAsWanted({ form, parts, fits }: Entry, index: number, found: Buffer | undefined): boolean {
  if (found === undefined) return false;
  const text = found.toString();
  if (form === 'zset' && index % 2 === 1) return text !== '' && Number(text) === Number(parts[index]);
  const pattern = fits?.[index];
  return pattern === undefined ? found.equals(Buffer.from(parts[index] ?? '')) : pattern.test(text);
}

function shown({ form, parts }: Entry): string {
  if (form === 'string') return shorten(parts[0] ?? '');
  return `a ${form} of ${parts.length / (form === 'hash' || form === 'zset' ? 2 : 1)}`;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
