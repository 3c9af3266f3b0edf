import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { ProbeCount } from '../../metrics/criterion.js';
import { getOnce, noAnswer } from './web-request.js';

const everyMs = 1000;
/** An answer that comes later than this is no answer. */
const answerMs = 5000;

/** One look at the target: its HTTP status, or why there was none. */
export interface Probe {
  readonly good: boolean;
  readonly status: number;
  readonly elapsedMs: Milliseconds;
  readonly error?: string;
}

/** Asks the target once; 2xx and 3xx within 5 s are good. Never rejects. */
export async function probeOnce(
  url: string,
  userAgent: string,
  clock: Clock,
  { signal, headers = {} }: { readonly signal?: AbortSignal; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Probe> {
  const begun = clock.now();
  const limit = AbortSignal.timeout(answerMs);
  try {
    const answer = await getOnce(url, { userAgent, headers, signal: signal === undefined ? limit : AbortSignal.any([limit, signal]) });
    for await (const _piece of answer.body ?? []); // read to its end, and not kept
    return { good: answer.status >= 200 && answer.status < 400, status: answer.status, elapsedMs: clock.now() - begun };
  } catch (error) {
    return { good: false, status: 0, elapsedMs: clock.now() - begun, error: noAnswer(error) };
  }
}

/** Throws `unavailable` unless the target is there: its health endpoint is good, or, without one, it answers at all. */
export async function requireTarget(target: { url: string; health?: string }, userAgent: string, clock: Clock): Promise<void> {
  const url = target.health ?? target.url;
  const probe = await probeOnce(url, userAgent, clock);
  if (target.health === undefined ? probe.status > 0 : probe.good) return;
  const what = probe.status > 0 ? `it answered ${probe.status}` : (probe.error ?? 'no answer');
  const [state, words] = target.health === undefined ? ['not up', 'target.url'] : ['not healthy', 'target.url and target.health'];
  throw new LoadctlError('unavailable', `The target is ${state}: GET ${url}: ${what}. Nothing was run.`, {
    hint: `Start it, or mend ${words} in the profile.`,
  });
}

/**
 * Probes the target's health once a second, whether or not earlier answers have come, and emits each outcome. The
 * returned function stops it and waits for the answers that are still due, unless `atOnce`.
 */
export function startHealthProbe(
  url: string,
  userAgent: string,
  { clock, emit }: { clock: Clock; emit: Emit },
): (atOnce: boolean) => Promise<void> {
  const stopped = new AbortController();
  const dropped = new AbortController();
  const due = new Set<Promise<void>>();
  const probe = async () => {
    const { good, status, elapsedMs } = await probeOnce(url, userAgent, clock, { signal: dropped.signal });
    if (!dropped.signal.aborted) emit({ type: 'health-probed', good, status, elapsedMs });
  };
  const loop = async () => {
    for (let next = clock.now(); !stopped.signal.aborted; next += everyMs) {
      await clock.sleep(Math.max(0, next - clock.now()), stopped.signal);
      if (stopped.signal.aborted) return;
      const answer = probe().finally(() => due.delete(answer));
      due.add(answer);
    }
  };
  const looping = loop();
  return async (atOnce) => {
    stopped.abort();
    if (atOnce) dropped.abort();
    await looping;
    await Promise.all(due);
  };
}

/** Counts health probes as they are told. */
export function countProbes(emit: Emit): { readonly emit: Emit; count(): ProbeCount } {
  let [good, total] = [0, 0];
  return {
    emit: (event) => {
      emit(event);
      if (event.type !== 'health-probed') return;
      total += 1;
      if (event.good) good += 1;
    },
    count: () => ({ good, total }),
  };
}
