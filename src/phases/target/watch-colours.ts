import { unlessAborted } from '../../core/abort.js';
import type { Beside } from '../../core/beside.js';
import { errorData, errorMessage, LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import type { Colour } from '../../core/stop.js';
import { repeat } from '../../core/timer.js';
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
  end(): Promise<void>;
}

/** Who hears of a colour that went live, and what looks for it. */
interface Listener {
  readonly stop: (error: LoadctlError) => void;
  readonly beside: Beside;
}

/**
 * Looks the live colour up again, now and then, until the load is over: a switch ends the run. Without colours there is
 * nothing to watch.
 */
export function watchColours(context: RunContext, userAgent: string, { stop, beside }: Listener): LiveWatch {
  const { target, plan, access, world, signal, emit } = context;
  const { colour } = target;
  const planned = withSecrets(plan, access).target;
  if (colour === undefined || !('live' in planned)) return { look: async () => {}, begin: () => {}, end: async () => {} };
  const { live } = planned;
  const { loaded } = colour;
  emit({ type: 'live-colour-found', live: colour.live, loaded, url: shownTarget(target).url });
  const lookUp = () => lookUpLive(live, { world, folder: access.machine.folder, userAgent, signal });
  const watching = { clock: world.clock, emit, everyMs: live.every, lookUp, stop };
  let end = async () => {};
  return {
    look: async () => {
      if ((await lookUp()) === loaded) throw wentLive(loaded);
    },
    begin: () => {
      end = beside((over) => watchOn(loaded, watching, over));
    },
    end: () => end(),
  };
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
  const ended = new AbortController();
  const end = (error: LoadctlError) => {
    ended.abort();
    stop(error);
  };
  await repeat(clock, everyMs, AbortSignal.any([over, ended.signal]), async () => {
    const live = await unlessAborted(
      lookUp().catch((error: unknown) => ({ error })),
      over,
    );
    if (live === undefined || over.aborted) return;
    if (live === loaded) return end(wentLive(loaded));
    if (typeof live === 'string') {
      if (misses > 0) emit({ type: 'noted', code: 'live-colour-unchanged', live });
      misses = 0;
      return;
    }
    misses += 1;
    if (misses > missesAllowed) return end(nobodyKnows(live.error, misses, misses * everyMs));
    emit({ type: 'warned', code: 'live-lookup-failed', error: errorData(live.error), retryMs: everyMs });
  });
}

function wentLive(loaded: Colour): LoadctlError {
  return new LoadctlError('refused', `${loaded} went live: this run loads it, and the live colour must not be loaded.`, {
    hint: 'Start again: the other colour is loaded then.',
  });
}

function nobodyKnows(error: unknown, times: number, forMs: Milliseconds): LoadctlError {
  const message = `Could not determine for ${formatDuration(forMs)} whether the colour under test went live (${times} look-ups). ${errorMessage(error)}`;
  const hint = error instanceof LoadctlError ? error.hint : undefined;
  return new LoadctlError('refused', message, hint === undefined ? {} : { hint });
}
