import { createHash } from 'node:crypto';
import type { Milliseconds } from '../../../core/quantities.js';
import { replyWord } from '../connection/errors.js';
import type { Answer, KeyCommand } from '../connection/servers.js';
import type { Entry } from './entries.js';

/** A text as it is stored: all of it, or of one that is longer than was asked for what tells it from others. */
export type Stored = Buffer | LongText;

/** A text that is not read as a whole: its answer would count as memory of the server. */
export interface LongText {
  /** In bytes. */
  readonly size: number;
  /** In hex. */
  readonly sha1: string;
  /** Its first bytes. */
  readonly begins: Buffer;
}

/** Creates an entry where nothing is under its key: all of it or nothing, whoever looks. Answers as {@link isCreated} reads it. */
export function createCommand({ key, form, parts }: Entry, ttlMs: Milliseconds | undefined): KeyCommand {
  const [text = ''] = parts;
  if (form === 'string') return { key, words: ttlMs === undefined ? ['SET', key, text, 'NX'] : ['SET', key, text, 'PX', ttlMs, 'NX'] };
  return { key, words: ['EVAL', createCollection, 1, key, form, ttlMs ?? '', ...parts] };
}

/** What is refused halfway (a command by an ACL, a score that is no number) undoes what came before it. */
const createCollection = `if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local form, failed = ARGV[1], nil
local function run(...)
  local answer = failed or redis.pcall(...)
  if type(answer) == 'table' and answer.err then failed = answer end
end
for i = 3, #ARGV do
  if form == 'list' then run('RPUSH', KEYS[1], ARGV[i])
  elseif form == 'set' then run('SADD', KEYS[1], ARGV[i])
  elseif i % 2 == 1 and form == 'zset' then run('ZADD', KEYS[1], ARGV[i + 1], ARGV[i])
  elseif i % 2 == 1 then run('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
if ARGV[2] ~= '' then run('PEXPIRE', KEYS[1], ARGV[2]) end
if failed then redis.pcall('UNLINK', KEYS[1]) end
return failed or 1`;

/** Whether the answer to {@link createCommand} says that it created the entry. */
export function isCreated(value: unknown): boolean {
  return value === 1 || (Buffer.isBuffer(value) && value.equals(ok));
}

const ok = Buffer.from('OK');

/** Begins an entry's time to live anew; without one it stays for ever. */
export function refreshCommand({ key }: Entry, ttlMs: Milliseconds | undefined): KeyCommand {
  return { key, words: ttlMs === undefined ? ['PERSIST', key] : ['PEXPIRE', key, ttlMs] };
}

/** So long a text is read as a whole at most, and so much of a longer one: bytes. */
const [mostWhole, mostShown] = [1000, 64];

/** How many bytes of a part are asked for. What was written on another day must be read as a whole. */
function askedOf({ parts, fits }: Entry, index: number): number {
  const bytes = Buffer.byteLength(parts[index] ?? '');
  return fits === undefined ? Math.min(bytes, mostWhole) : bytes + 64;
}

/** What of an entry's parts is read: every text, and of what has names the values alone. */
function isRead({ form }: Entry, index: number): boolean {
  return form === 'string' || form === 'list' || (form === 'hash' && index % 2 === 1);
}

/** What the numbers around a text take in an answer, at most. */
const besideText = 80;

/**
 * Asks what is under an entry's key: of what type it is; where that is as it should be also how large, and what it holds of what is
 * asked for. One command an entry: two could be answered by two servers, before and after a failover. Of a text it asks for as much
 * as there should be and a byte more, which may need a {@link closerLook}.
 */
export function lookCommand(entry: Entry): KeyCommand {
  const { key, form, parts } = entry;
  if (form === 'string') {
    const bytes = askedOf(entry, 0);
    return { key, words: ['GETRANGE', key, 0, bytes], answerBytes: bytes };
  }
  const asked = parts.flatMap((part, index): (string | number)[] => {
    if (isRead(entry, index)) return [askedOf(entry, index)];
    return form === 'zset' && index % 2 === 1 ? [] : [part];
  });
  const most = parts.map((part, index) => (isRead(entry, index) ? Math.max(mostShown, askedOf(entry, index)) : Buffer.byteLength(part)));
  const answerBytes = most.reduce((sum, bytes) => sum + bytes + besideText, besideText);
  return { key, words: ['EVAL', lookAtCollection, 1, key, form, ...asked], answerBytes };
}

/** Asks once more where the answer to {@link lookCommand} leaves open what is there: nothing or an empty text, a longer one, no text. */
export function closerLook(entry: Entry, answer: Answer | undefined): KeyCommand | undefined {
  const { key, form } = entry;
  if (form !== 'string') return undefined;
  const { error, value } = answer ?? {};
  const isLonger = Buffer.isBuffer(value) && value.length > askedOf(entry, 0);
  if (isLonger || replyWord(error) === 'WRONGTYPE')
    return { key, words: ['EVAL', lookAtText, 1, key, askedOf(entry, 0)], answerBytes: askedOf(entry, 0) + mostShown + besideText };
  return Buffer.isBuffer(value) && value.length === 0 ? { key, words: ['GET', key] } : undefined;
}

/** As {@link Stored} has it. */
const seen = `local function seen(text, most)
  if not text or #text <= tonumber(most) then return text end
  return {#text, redis.sha1hex(text), text:sub(1, ${mostShown})}
end`;

const lookAtText = `local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'string' then return {kind} end
${seen}
return {kind, 1, seen(redis.call('GET', KEYS[1]), ARGV[1])}`;

const lookAtCollection = `local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= ARGV[1] then return {kind} end
${seen}
local sizes = {hash = 'HLEN', list = 'LLEN', set = 'SCARD', zset = 'ZCARD'}
local found = {kind, redis.call(sizes[kind], KEYS[1])}
if kind == 'list' then
  for i, element in ipairs(redis.call('LRANGE', KEYS[1], 0, #ARGV - 2)) do found[i + 2] = seen(element, ARGV[i + 1]) end
elseif kind == 'hash' then
  for i = 2, #ARGV, 2 do found[i / 2 + 2] = seen(redis.call('HGET', KEYS[1], ARGV[i]), ARGV[i + 1]) end
else
  for i = 2, #ARGV do
    if kind == 'zset' then found[i + 1] = redis.call('ZSCORE', KEYS[1], ARGV[i])
    else found[i + 1] = redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 1 and ARGV[i] end
  end
end
return found`;

/**
 * Deletes an entry if it still holds what a look found there: compared and deleted in one step. Answers 1 or 0. Texts are named by
 * size and hash: sent once more, they would be memory of a server that may have none left.
 */
export function unlinkAsFound(entry: Entry, stored: readonly Stored[]): KeyCommand {
  const { key, form } = entry;
  const names = stored.map((part, index) => (isRead(entry, index) ? nameOf(part) : Buffer.isBuffer(part) ? part : part.begins));
  if (form === 'string') return { key, words: ['EVAL', unlinkNamedText, 1, key, ...names] };
  return { key, words: ['EVAL', unlinkEqualCollection, 1, key, form, ...names] };
}

function nameOf(part: Stored): string {
  return Buffer.isBuffer(part) ? `${part.length}:${sha1Of(part)}` : `${part.size}:${part.sha1}`;
}

export function sha1Of(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

const unlinkNamedText = `if redis.call('TYPE', KEYS[1]).ok ~= 'string' then return 0 end
local text = redis.call('GET', KEYS[1])
if #text .. ':' .. redis.sha1hex(text) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])`;

const unlinkEqualCollection = `local kind = ARGV[1]
if redis.call('TYPE', KEYS[1]).ok ~= kind then return 0 end
local function is(text, name) return text and #text .. ':' .. redis.sha1hex(text) == name end
local sizes = {hash = 'HLEN', list = 'LLEN', set = 'SCARD', zset = 'ZCARD'}
local width = (kind == 'hash' or kind == 'zset') and 2 or 1
if redis.call(sizes[kind], KEYS[1]) * width ~= #ARGV - 1 then return 0 end
if kind == 'list' then
  for i, element in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do if not is(element, ARGV[i + 1]) then return 0 end end
else
  for i = 2, #ARGV, width do
    if kind == 'hash' and not is(redis.call('HGET', KEYS[1], ARGV[i]), ARGV[i + 1]) then return 0 end
    if kind == 'zset' and redis.call('ZSCORE', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end
    if kind == 'set' and redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then return 0 end
  end
end
return redis.call('UNLINK', KEYS[1])`;

/** Deletes a text if it is this one. */
export const unlinkEqualText = `if redis.call('TYPE', KEYS[1]).ok ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])`;
