import type { Emit } from '../../core/events.js';
import type { RunnerId } from '../../core/ids.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Defer } from '../../core/scope.js';
import type { PushRejection } from '../../core/warnings.js';
import { type PushAddress, startReceiver } from '../../k6/remote-write/receiver.js';
import { type LiveNumbers, liveNumbers } from '../../metrics/live-numbers.js';
import type { Reachable } from '../../runners/runner/types.js';

/** What the runners push while they run. */
export interface LiveData {
  readonly numbers: LiveNumbers;
  /** Where pushes are taken in. */
  readonly reachable: Reachable;
  /** Where a runner pushes to. */
  addressFor(runner: RunnerId): PushAddress;
  /** When each runner was last heard of, by elapsed(); without those that never were. */
  readonly heardAt: ReadonlyMap<RunnerId, Milliseconds>;
  /** A runner that was not heard of for longer does not report. */
  readonly silentMs: Milliseconds;
  /** Tells what could not be kept apart, once. */
  tellExcess(): void;
  /** Tells how often pushes were turned away. */
  tellRejected(): void;
}

/** A runner that was silent for longer than this, and than three of its pushes, does not report. */
const leastSilentMs: Milliseconds = 3000;
const missedPushes = 3;

/** What opening it takes; runners push once a second where it is not said. */
export interface LiveDataMeans {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly pushEveryMs?: Milliseconds;
}

/** Opens the receiver of the runners' live data. `keep` are names of requests that limits are about. */
export async function openLiveData(
  runners: readonly RunnerId[],
  keep: ReadonlySet<string>,
  { clock, emit, pushEveryMs = 1000 }: LiveDataMeans,
  defer: Defer,
): Promise<LiveData> {
  const numbers = liveNumbers({ keep });
  const heardAt = new Map<RunnerId, Milliseconds>();
  const rejected = new Map<PushRejection, number>();
  const told = new Set<string>();
  const receiver = await startReceiver(runners, {
    pushed: (runner, series) => {
      heardAt.set(runner, clock.elapsed());
      numbers.take(runner, series);
    },
    admits: numbers.admits,
    rejected: (why) => {
      const times = (rejected.get(why) ?? 0) + 1;
      rejected.set(why, times);
      if (times === 1) emit({ type: 'warned', code: 'push-rejected', why });
    },
  });
  defer(() => receiver.close());
  const tellOnce = (code: 'requests-folded' | 'series-left-out') => {
    if (!told.has(code)) emit({ type: 'warned', code });
    told.add(code);
  };
  return {
    numbers,
    heardAt,
    silentMs: Math.max(leastSilentMs, missedPushes * pushEveryMs),
    reachable: receiver,
    addressFor: (runner) => receiver.addressFor(runner),
    tellExcess: () => {
      const { folded, ignored } = numbers.excess;
      if (folded > 0) tellOnce('requests-folded');
      if (ignored > 0) tellOnce('series-left-out');
    },
    tellRejected: () => {
      for (const [why, times] of rejected) if (times > 1) emit({ type: 'noted', code: 'pushes-rejected', why, times });
    },
  };
}
