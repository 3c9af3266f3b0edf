import type { Emit, LoggedEvent } from '../../core/events.js';
import type { Shell } from '../../core/os.js';

/** Keeps Ctrl-Z from stopping a loadctl that has runners: they would be gone before it goes on. */
export interface SuspensionGuard {
  hear(event: LoggedEvent): void;
  end(): void;
}

/** A {@link SuspensionGuard} that knows by the events when there are runners, and tells where it refuses. */
export function refusingSuspension({ refuseSuspension }: Pick<Shell, 'refuseSuspension'>, emit: Emit): SuspensionGuard {
  let stop: (() => void) | undefined;
  const end = () => {
    stop?.();
    stop = undefined;
  };
  return {
    end,
    hear: ({ type }) => {
      if (type === 'runner-started') stop ??= refuseSuspension(() => emit({ type: 'noted', code: 'suspension-refused' }));
      if (type === 'phase-finished') end();
    },
  };
}
