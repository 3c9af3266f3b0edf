import { type Answer, type KeyCommand, type Servers, valueIn } from '../connection/servers.js';
import { closerLook, type LongText, lookCommand, type Stored, sha1Of } from './commands.js';
import type { Entry } from './entries.js';

/** An entry beside what is under its key. */
export interface Compared {
  readonly entry: Entry;
  readonly state: 'absent' | 'equal' | 'different';
  /** What is there, part for part: what a later look is held against. Missing where it is of another form or size. */
  readonly stored?: readonly Stored[];
  /** What is there, and what should be, for people. */
  readonly found: string;
  readonly wanted: string;
  /** host:port of the server that was asked. */
  readonly node: string;
}

/** Holds entries against what is there, byte by byte. */
export async function compare(servers: Servers, entries: readonly Entry[]): Promise<Compared[]> {
  const answers = [...(await servers.run(entries.map(lookCommand)))];
  const open = entries.flatMap((entry, index) => {
    const command = closerLook(entry, answers[index]);
    return command === undefined ? [] : [{ index, command }];
  });
  const closer = await servers.run(open.map(({ command }) => command));
  for (const [at, answer] of closer.entries()) answers[open[at]?.index ?? -1] = answer;
  return entries.map((entry, index) => compareOne(servers, entry, answers[index]));
}

/** The same where most are thought to be absent: whether they are is asked first, and answered in a byte; how they look, of the others. */
export async function compareAbsent(servers: Servers, entries: readonly Entry[]): Promise<Compared[]> {
  const absentAt = await nodesWithout(servers, entries);
  const looked = await compare(
    servers,
    entries.filter((_, index) => absentAt[index] === undefined),
  );
  let next = 0;
  return entries.map((entry, index) => {
    const node = absentAt[index] ?? '';
    return (absentAt[index] === undefined ? looked[next++] : undefined) ?? { entry, node, ...absent };
  });
}

/** So many keys are asked for in one command where one server has all of them. */
const keysAtOnce = 100;

/** For each entry the server that has nothing under its key; undefined where something is there, or under that of another in the same command. */
async function nodesWithout(servers: Servers, entries: readonly Entry[]): Promise<(string | undefined)[]> {
  const width = servers.isCluster ? 1 : keysAtOnce; // keys of one command must be of one slot
  const commands: KeyCommand[] = [];
  for (let from = 0; from < entries.length; from += width) {
    const keys = entries.slice(from, from + width).map(({ key }) => key);
    commands.push({ key: keys[0] ?? '', words: ['EXISTS', ...keys] });
  }
  const answers = await servers.run(commands);
  const found = answers.map((answer) => (valueIn(servers, answer) === 0 ? answer.node : undefined));
  return width === 1 ? found : entries.map((_, index) => found[Math.floor(index / width)]);
}

function compareOne(servers: Servers, entry: Entry, answer: Answer | undefined): Compared {
  const value = valueIn(servers, answer);
  const held = heldBy(entry, Buffer.isBuffer(value) ? ['string', 1, value] : (value ?? ['none']));
  const node = answer?.node ?? '';
  if (held.state === 'different' && held.stored === undefined) return { entry, node, ...held };
  const { stored, ...compared } = differenceIn(entry, held);
  // What lacks a field is not what is compared part for part as it is deleted.
  return { entry, node, ...compared, ...(stored === undefined || held.state === 'different' ? {} : { stored }) };
}

type Held = Omit<Compared, 'entry' | 'node'>;

const absent: Held = { state: 'absent', found: 'nothing', wanted: '' };

function heldBy(entry: Entry, value: unknown): Held {
  const [kind, size, ...found]: unknown[] = Array.isArray(value) ? value : [];
  if (String(kind) === 'none') return absent;
  const { form, parts } = entry;
  const width = form === 'hash' || form === 'zset' ? 2 : 1;
  const wanted = parts.length / width;
  const wrong = (what: string): Held => ({ state: 'different', found: what, wanted: shown(entry) });
  if (String(kind) !== form) return wrong(`no ${form} but a ${String(kind)}`);
  const values = found.map((part) => storedIn(part) ?? Buffer.alloc(0));
  const isWhole = found.length === wanted && found.every((part) => storedIn(part) !== undefined);
  if (Number(size) !== wanted && (form !== 'hash' || isWhole)) return wrong(`a ${form} of ${Number(size)}`);
  const stored = width === 1 ? values : values.flatMap((part, index) => [Buffer.from(parts[2 * index] ?? ''), part]);
  return { state: isWhole ? 'equal' : 'different', stored, found: '', wanted: '' };
}

function storedIn(part: unknown): Stored | undefined {
  if (Buffer.isBuffer(part)) return part;
  if (!Array.isArray(part)) return undefined;
  const [size, sha1, begins]: unknown[] = part;
  return Buffer.isBuffer(begins) ? { size: Number(size), sha1: String(sha1), begins } : undefined;
}

/** What of it is not as it would be written. */
function differenceIn(entry: Entry, { state, stored }: Held): Held {
  if (state === 'absent' || stored === undefined) return absent;
  const odd = entry.parts.flatMap((wanted, index) =>
    isAsWanted(entry, index, stored[index]) ? [] : [{ wanted, found: textOf(stored[index]), index }],
  );
  if (odd.length === 0 && state === 'equal') return { state, stored, found: '', wanted: '' };
  const pair = (side: 'found' | 'wanted') =>
    entry.form === 'hash' || entry.form === 'zset'
      ? odd.map((part) => `${entry.parts[part.index - 1] ?? ''}: ${part[side] || 'nothing'}`).join(', ')
      : odd.map((part) => part[side]).join(', ');
  return { state: 'different', stored, found: shorten(pair('found')), wanted: shorten(pair('wanted')) };
}

function isAsWanted({ form, parts, fits }: Entry, index: number, found: Stored | undefined): boolean {
  if (found === undefined) return false;
  const wanted = Buffer.from(parts[index] ?? '');
  if (!Buffer.isBuffer(found)) return isText(found, wanted);
  if (form === 'zset' && index % 2 === 1) return found.length > 0 && Number(found.toString()) === Number(parts[index]);
  return fits?.[index]?.test(found.toString()) ?? found.equals(wanted);
}

function isText({ size, sha1 }: LongText, wanted: Buffer): boolean {
  return size === wanted.length && sha1 === sha1Of(wanted);
}

function textOf(stored: Stored | undefined): string {
  if (Buffer.isBuffer(stored)) return stored.toString();
  return stored === undefined ? '' : `${stored.begins.toString().replace(/\uFFFD+$/, '')}…`;
}

function shown({ form, parts }: Entry): string {
  if (form === 'string') return shorten(parts[0] ?? '');
  return `a ${form} of ${parts.length / (form === 'hash' || form === 'zset' ? 2 : 1)}`;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
