import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { errorCode, errorMessage } from '../../core/errors.js';
import type { Clock } from '../../core/os.js';
import { formatDuration } from '../../core/quantities.js';
import { callAfter } from '../../core/timer.js';
import { FetchFailure, type FetchOptions } from './types.js';

/** How patient a transfer is, and what ends it. */
export interface TransferOptions {
  readonly signal?: AbortSignal;
  readonly timeouts: NonNullable<FetchOptions['timeouts']>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Gets a short text over HTTP. */
export async function getText(url: string, options: TransferOptions): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  await receive(url, options, (chunk) => {
    text += decoder.decode(chunk, { stream: true });
  });
  return text;
}

/** Writes what `url` holds to `file`; hands back its SHA-256 in hex. */
export async function getFile(url: string, file: string, options: TransferOptions): Promise<string> {
  const hash = createHash('sha256');
  const target: FileHandle = await open(file, 'w');
  try {
    await receive(url, options, async (chunk) => {
      hash.update(chunk);
      await target.write(chunk);
    });
  } finally {
    await target.close();
  }
  return hash.digest('hex');
}

/** A server that is out of reach, or falls silent, must cost seconds: there is another way to get a k6. */
async function receive(url: string, options: TransferOptions, take: (chunk: Uint8Array) => unknown): Promise<void> {
  const { timeouts, signal, clock } = options;
  const patience = new AbortController();
  const giveUp = (ms: number, what: string) =>
    callAfter(clock, ms, () => patience.abort(new FetchFailure(`${what} for ${formatDuration(ms)}`)));
  let goOn = giveUp(timeouts.answerMs, `${new URL(url).host} did not answer`);
  try {
    const response = await fetch(url, { signal: signal ? AbortSignal.any([signal, patience.signal]) : patience.signal });
    if (!response.ok || response.body === null) throw new FetchFailure(`${url} answered ${response.status}`);
    for await (const chunk of response.body) {
      goOn();
      await take(chunk);
      goOn = giveUp(timeouts.stallMs, `${new URL(url).host} sent nothing more`);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw patience.signal.aborted ? patience.signal.reason : asFailure(url, error);
  } finally {
    goOn();
  }
}

/** fetch wraps what went wrong on the wire in a TypeError whose cause has the system's code. */
function asFailure(url: string, error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  const { cause = error } = error;
  return new FetchFailure(`${new URL(url).host} is unreachable (${errorCode(cause) ?? errorMessage(cause)})`, { cause: error });
}
