import { errorData, errorMessage, LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import type { Defer } from '../../core/scope.js';
import type { Colour } from '../../core/stop.js';
import { withSecrets } from '../../plan/access.js';
import { shownTarget } from '../../plan/target.js';
import type { RunContext } from '../frame/context.js';
import { lookUpLive } from './live-colour.js';

/** So many look-ups in a row may fail while the load is on; then nobody knows any more what is loaded. */
const missesAllowed = 2;

/** Looks after it that the colour under load is not the live one. */
export interface LiveWatch {
  /** Looks now, before there is load. Throws `refused` where the colour went live meanwhile, or nobody can tell. */
  look(): Promise<void>;
  /** Looks every now and then from here on. */
  begin(): void;
  /** There is no load any more. */
  end(): void;
}

/**
 * Looks the live colour up again, now and then, until the load is over: a switch ends the run. Without colours there is
 * nothing to watch.
 */
export function watchColours(context: RunContext, userAgent: string, stop: (error: LoadctlError) => void, defer: Defer): LiveWatch {
  const { target, plan, access, world, signal, emit } = context;
  const { colour } = target;
  const planned = withSecrets(plan, access).target;
  if (colour === undefined || !('live' in planned)) return { look: async () => {}, begin: () => {}, end: () => {} };
  const { live } = planned;
  const { loaded } = colour;
  emit({ type: 'live-colour-found', live: colour.live, loaded, url: shownTarget(target).url });
  const over = new AbortController();
  defer(() => over.abort());
  const lookUp = () => lookUpLive(live, { world, folder: access.machine.folder, userAgent, signal });
  const look = async () => {
    if ((await lookUp()) === loaded) throw wentLive(loaded);
  };
  const watching = { clock: world.clock, emit, everyMs: live.every, lookUp, stop };
  return { look, begin: () => void watchOn(loaded, watching, over.signal), end: () => over.abort() };
}

interface Watching {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly everyMs: Milliseconds;
  readonly lookUp: () => Promise<Colour>;
  /** Ends the run, with the reason. */
  readonly stop: (error: LoadctlError) => void;
}

async function watchOn(loaded: Colour, { clock, emit, everyMs, lookUp, stop }: Watching, over: AbortSignal): Promise<void> {
  let misses = 0;
  for (let next = clock.now() + everyMs; ; next = Math.max(next + everyMs, clock.now())) {
    await clock.sleep(Math.max(0, next - clock.now()), over);
    if (over.aborted) return;
    const live = await lookUp().catch((error: unknown) => ({ error }));
    if (over.aborted) return;
    if (live === loaded) return stop(wentLive(loaded));
    if (typeof live === 'string') {
      if (misses > 0) emit({ type: 'noted', code: 'live-colour-unchanged', live });
      misses = 0;
      continue;
    }
    misses += 1;
    if (misses > missesAllowed) return stop(nobodyKnows(live.error, misses, misses * everyMs));
    emit({ type: 'warned', code: 'live-lookup-failed', error: errorData(live.error), retryMs: everyMs });
  }
}

function wentLive(loaded: Colour): LoadctlError {
  return new LoadctlError('refused', `${loaded} is live now: it is the colour that this run loads, and nobody may load the live one.`, {
    hint: 'Start again: the other colour is loaded then.',
  });
}

function nobodyKnows(error: unknown, times: number, forMs: Milliseconds): LoadctlError {
  const message = `For ${formatDuration(forMs)} nobody could tell whether the colour under load went live (${times} look-ups). ${errorMessage(error)}`;
  const hint = error instanceof LoadctlError ? error.hint : undefined;
  return new LoadctlError('refused', message, hint === undefined ? {} : { hint });
}
