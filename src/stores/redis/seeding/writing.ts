import { throwIfAborted } from '../../../core/abort.js';
import { LoadctlError } from '../../../core/errors.js';
import type { Clock } from '../../../core/os.js';
import { formatCount, formatDuration, type Milliseconds } from '../../../core/quantities.js';
import { isRefusal } from '../connection/errors.js';
import { type Answer, type Servers, valueIn } from '../connection/servers.js';
import { createCommand, isCreated, refreshCommand } from '../keys/commands.js';
import { type Entry, entryBatches } from '../keys/entries.js';
import type { Ranges } from '../keys/ranges.js';
import type { Written } from '../keys/take-back.js';
import { type Compared, compare } from '../keys/values.js';

/** A set on its way. */
export interface Progress extends Written {
  readonly ttlMs: Milliseconds | undefined;
  /** The entries that were not there when it was checked, by their numbers. */
  readonly absent: Ranges;
  checkMs: Milliseconds;
}

/** Writes what was not there when it was checked. `tell` hears of each batch, up to which number it is in. */
export async function writeAll(servers: Servers, progress: Progress, tell: (done: number) => void): Promise<void> {
  for (const batch of entryBatches(progress.entries, servers.width())) {
    await create(
      servers,
      progress,
      batch.filter(({ n }) => progress.absent.has(n)),
    );
    tell(batch.at(-1)?.n ?? 0);
  }
  await servers.replicate();
}

/** Never overwrites: what appeared since the check stays as it is, and is held against the profile when it is read back. */
async function create(servers: Servers, { ttlMs, created, unheard }: Progress, entries: readonly Entry[]): Promise<void> {
  const answers = await servers.run(entries.map((entry) => createCommand(entry, ttlMs)));
  for (const [index, entry] of entries.entries()) {
    const answer = answers[index];
    if (!isOurs(entry, answer)) continue;
    created.add(entry.n);
    if (answer?.error) unheard.add(entry.n);
  }
  for (const answer of answers) valueIn(servers, answer);
}

/**
 * Whether an entry that was absent was written by us, or may have been: no answer came, or one that may be the second, or several
 * commands were refused together. Such ones are taken back only where they are as we write them.
 */
function isOurs({ form }: Entry, answer: Answer | undefined): boolean {
  if (answer === undefined) return false;
  const wasRefused = answer.error !== null && isRefusal(answer.error) && form === 'string';
  return answer.mayBeSecond || (answer.error === null ? isCreated(answer.value) : !wasRefused);
}

const mostPasses = 10;

/**
 * A failover loses what its new primary had not received yet, although it was acknowledged. So everything is read back,
 * and what is gone is written again, until a whole pass finds all of it. Hands back how many were written again.
 */
export async function readBack(servers: Servers, progress: Progress, clock: Clock, signal: AbortSignal): Promise<number> {
  let writtenAgain = 0;
  for (let pass = 1; pass <= mostPasses; pass++) {
    const startedAt = clock.elapsed();
    const missing = await readBackOnce(servers, progress, pass === 1, signal);
    if (missing === 0) return writtenAgain;
    writtenAgain += missing;
    if (progress.ttlMs !== undefined && progress.ttlMs < clock.elapsed() - startedAt) throw livesTooShort(progress);
    await servers.replicate();
  }
  throw vanishing(servers, progress, writtenAgain);
}

/** Everything must be as it would be written. What was there before begins its time to live anew. */
async function readBackOnce(servers: Servers, progress: Progress, isFirst: boolean, signal: AbortSignal): Promise<number> {
  const { entries, ttlMs, created } = progress;
  let missing = 0;
  for (const batch of entryBatches(entries, servers.width())) {
    throwIfAborted(signal);
    const compared = await compare(servers, batch);
    refuseDifferent(servers, compared);
    const there = compared.filter(({ entry, state }) => state === 'equal' && isFirst && !created.has(entry.n));
    for (const answer of await servers.run(there.map(({ entry }) => refreshCommand(entry, ttlMs)))) valueIn(servers, answer);
    const gone = compared.filter(({ state }) => state === 'absent').map(({ entry }) => entry);
    await create(servers, progress, gone);
    missing += gone.length;
  }
  return missing;
}

const shownLines = 3;

function refuseDifferent(servers: Servers, compared: readonly Compared[]): void {
  const lines = compared.filter(({ state }) => state === 'different').map((each) => conflictLine(servers, each));
  if (lines.length === 0) return;
  throw new LoadctlError('seeding-failed', 'a cache entry appeared with another value while it was seeded', {
    hint: 'Keep other writers away from these keys, then seed again.',
    lines: [...lines.slice(0, shownLines), ...(lines.length > shownLines ? [`… and ${formatCount(lines.length - shownLines)} more`] : [])],
  });
}

/** What is under a key and what should be, in a line. */
export function conflictLine({ store }: Servers, { entry, found, wanted }: Compared): string {
  return `${store}: the key ${JSON.stringify(entry.key)} holds ${found}, not ${wanted}`;
}

function livesTooShort({ entries: { set }, ttlMs = 0 }: Progress): LoadctlError {
  return new LoadctlError('seeding-failed', `the ttl of ${set.name} (${formatDuration(ttlMs)}) is shorter than seeding takes`, {
    hint: 'Give the set a longer `ttl`.',
  });
}

function vanishing({ store }: Servers, { entries: { set } }: Progress, count: number): LoadctlError {
  return new LoadctlError('seeding-failed', `${store}: entries of ${set.key} vanish again and again (${count} were written again)`, {
    hint: 'Look whether the server evicts keys (INFO stats: evicted_keys; its maxmemory-policy), then seed again.',
  });
}
