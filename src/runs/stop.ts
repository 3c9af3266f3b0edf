import { join } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import type { Clock, World } from '../core/os.js';
import type { EpochMs, Milliseconds } from '../core/quantities.js';
import type { Stop } from '../core/stop.js';
import { followEvents } from './follow.js';
import { runFiles } from './layout.js';
import { lifeOf, type RunWatcher } from './lock.js';
import { readText } from './read.js';
import { type RunRecord, readRunRecord } from './record.js';
import { writeJson } from './write.js';

const pollMs = 250;
/** Ending a load takes 3 s at most; teardown and merging may follow. */
const patienceMs: Milliseconds = 90_000;

/** What asks a run to end: stop.json in its directory. */
export type StopRequest = { readonly at: EpochMs } & (
  | { readonly by: { readonly user: string; readonly host: string } }
  /** Nobody has followed it for so long. */
  | { readonly unfollowedMs: Milliseconds }
);

/** Asks the run in this directory to end. */
export async function requestStop(directory: string, request: StopRequest): Promise<void> {
  await writeJson(join(directory, runFiles.stop), request);
}

/** Whether a run is still going on; `out-of-sight`: its log has no end, and its loadctl is on another machine. */
export type Course = 'running' | 'over' | 'out-of-sight';

/** Whether a run is still going on. */
export async function courseOf(directory: string, record: RunRecord, world: RunWatcher): Promise<Course> {
  return watchRun(directory, record, world)();
}

/** The same each time it is called; what was read before is not read again. */
function watchRun(directory: string, record: RunRecord, world: RunWatcher): () => Promise<Course> {
  const log = followEvents(directory);
  let ended = false;
  return async () => {
    const life = await lifeOf(directory, record, world);
    if (life === 'gone') return 'over';
    await log.read((event) => {
      ended ||= event.type === 'phase-finished' && event.phase === 'run';
    });
    if (ended) return 'over';
    return life === 'there' ? 'running' : life;
  };
}

/**
 * Asks a running run to end, as Ctrl-C in its terminal would, and waits until it has. Throws `unavailable` for one that
 * does not go on any more, or that does not end.
 */
export async function stopRun(directory: string, world: RunWatcher & Pick<World, 'clock'>): Promise<RunRecord> {
  const record = await readRunRecord(directory);
  const goesOn = watchRun(directory, record, world);
  if ((await goesOn()) === 'over') {
    throw new LoadctlError('unavailable', `Run ${record.run} is not running.`, { hint: 'loadctl runs shows which are.' });
  }
  await requestStop(directory, { by: world.who, at: world.clock.stamp() });
  const deadline = world.clock.elapsed() + patienceMs;
  while ((await goesOn()) !== 'over') {
    if (world.clock.elapsed() > deadline) {
      throw new LoadctlError('unavailable', `Run ${record.run} was asked to end and has not within ${patienceMs / 1000} s.`, {
        hint: `End its process on ${record.by.host}: kill ${record.by.pid}. Its k6 processes end with it.`,
      });
    }
    await world.clock.sleep(pollMs);
  }
  return record;
}

/**
 * Resolves when somebody asks the run in this directory to end, with what the file says of it: that it is there is what
 * counts. Undefined once `signal` is aborted.
 */
export async function stopAsked(directory: string, clock: Clock, signal: AbortSignal): Promise<AskedStop | undefined> {
  while (!signal.aborted) {
    const text = await readText(join(directory, runFiles.stop)).catch(() => '');
    if (text !== undefined) return whatIsAsked(text);
    await clock.sleep(pollMs, signal);
  }
  return undefined;
}

type AskedStop = Extract<Stop, { cause: 'asked' | 'unfollowed' }>;

function whatIsAsked(text: string): AskedStop {
  try {
    const { by, unfollowedMs } = JSON.parse(text) as { by?: Partial<RunRecord['by']>; unfollowedMs?: unknown };
    if (typeof unfollowedMs === 'number') return { cause: 'unfollowed', forMs: unfollowedMs };
    return {
      cause: 'asked',
      ...(typeof by?.user === 'string' && typeof by.host === 'string' ? { by: { user: by.user, host: by.host } } : {}),
    };
  } catch {
    return { cause: 'asked' };
  }
}
