import type { Beside } from '../../core/beside.js';
import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { repeat, stopwatch, within } from '../../core/timer.js';
import type { WorkResult } from '../../core/work.js';
import type { Reach } from '../../k6/reach.js';
import type { ProbeCount } from '../../metrics/criterion.js';
import { connectOnce, getOnce, isUntrusted, noAnswer, speaksOtherProtocol } from './web-request.js';

const everyMs = 1000;
/** An answer that comes later than this is no answer. */
const answerMs = 5000;

/** One look at the target: its HTTP status, or why there was none. */
export interface Probe {
  readonly good: boolean;
  /** 0 where there is none: no answer came, or it was only connected to. */
  readonly status: number;
  readonly elapsedMs: Milliseconds;
  readonly error?: string;
  /** It answered in another protocol than HTTP/1.1. */
  readonly otherProtocol?: boolean;
  /** Its certificate is not trusted. */
  readonly untrusted?: boolean;
}

/** How loadctl looks at a target. */
export interface Looking {
  readonly userAgent: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  readonly reach?: Reach;
}

/** Asks the target once: 2xx and 3xx within 5 s are good; of a `tcp://` URL that it lets itself be connected to. Never rejects. */
export async function probeOnce(url: string, { userAgent, clock, signal, headers = {}, reach }: Looking): Promise<Probe> {
  const took = stopwatch(clock);
  const ask = async (limit: AbortSignal) => {
    const until = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    const how = { userAgent, headers, signal: until, ...(reach === undefined ? {} : { reach }) };
    return url.startsWith('tcp:') ? connectOnce(url, how) : statusOf(url, how);
  };
  try {
    const status = await within(clock, answerMs, ask);
    const good = status === undefined || (status >= 200 && status < 400);
    return { good, status: status ?? 0, elapsedMs: took() };
  } catch (error) {
    const otherProtocol = speaksOtherProtocol(error) ? { otherProtocol: true } : {};
    const untrusted = isUntrusted(error) ? { untrusted: true } : {};
    return { good: false, status: 0, elapsedMs: took(), error: noAnswer(error), ...otherProtocol, ...untrusted };
  }
}

/** An answer counts when all of it has come. */
async function statusOf(url: string, how: Parameters<typeof getOnce>[1]): Promise<number> {
  const answer = await getOnce(url, how);
  for await (const _piece of answer); // read to its end, and not kept
  return answer.statusCode ?? 0;
}

const trustHint =
  'Take any certificate with --set workload.options.insecureSkipTLSVerify=true, or trust one: NODE_EXTRA_CA_CERTS=FILE for loadctl and -e SSL_CERT_FILE=FILE for k6.';

/**
 * Throws `unavailable` unless the target is there: its health endpoint is good, or, without one, it answers at all, in
 * whatever protocol.
 */
export async function requireTarget(target: { url: string; health?: string }, looking: Looking): Promise<WorkResult> {
  const { url, health } = target;
  const asked = health ?? url;
  const { good, status, otherProtocol, untrusted, error } = await probeOnce(asked, looking);
  if (health !== undefined && good) return { result: status === 0 ? 'connected' : 'healthy' };
  if (health === undefined && status > 0) return { result: 'answered', status };
  if (health === undefined && otherProtocol === true) return { result: 'answered-otherwise' };
  const what = status > 0 ? `it answered ${status}` : (error ?? 'no answer');
  const [state, words] = health === undefined ? ['not up', 'target.url'] : ['not healthy', 'target.url and target.health'];
  const how = asked.startsWith('tcp:') ? asked : `GET ${asked}`;
  throw new LoadctlError('unavailable', `The target is ${state}: ${how}: ${what}. Nothing was run.`, {
    hint: untrusted === true ? trustHint : `Start it, or fix ${words}.`,
  });
}

/**
 * Probes the target's health once a second, whether or not earlier answers have come, and emits each outcome. The
 * returned function stops it and waits for the answers that are still due, unless `atOnce`.
 */
export function startHealthProbe(
  url: string,
  looking: Looking,
  { emit, beside }: { readonly emit: Emit; readonly beside: Beside },
): (atOnce: boolean) => Promise<void> {
  const { clock } = looking;
  const dropped = new AbortController();
  const due = new Set<Promise<void>>();
  const probe = async () => {
    const { good, status, elapsedMs } = await probeOnce(url, { ...looking, signal: dropped.signal });
    if (!dropped.signal.aborted) emit({ type: 'health-probed', good, status, elapsedMs });
  };
  const ask = () => {
    const answer = probe().finally(() => due.delete(answer));
    due.add(answer);
  };
  const end = beside(async (over) => {
    ask();
    await repeat(clock, everyMs, over, ask);
    await Promise.all(due);
  });
  return async (atOnce) => {
    if (atOnce) dropped.abort();
    await end();
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
