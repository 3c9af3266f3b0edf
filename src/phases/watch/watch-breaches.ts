import type { Criterion } from '../../core/criterion.js';
import type { Emit, LoadctlEvent } from '../../core/events.js';
import type { ServerSample } from '../../core/monitors.js';
import type { LiveLook } from '../../metrics/abort-watch.js';
import { breachWatch, type LimitNews, type LimitNow } from '../../metrics/breaches.js';
import { exactly } from '../../metrics/evaluate.js';
import { healthNow, recentLimits } from '../../metrics/recent-limits.js';
import type { Plan } from '../../plan/plan.js';

/** Tells of limits that are broken for a while in the judged window, and of their end. */
export interface BreachTeller {
  /** Looks, once a second. */
  look(look: LiveLook): void;
  /** Hears of the target's health probes. */
  heard(event: LoadctlEvent): void;
  /** The load is over: what is open is closed. */
  close(): void;
}

/** The {@link BreachTeller} of a run. */
export function breachTeller({ criteria, steady }: Pick<Plan, 'criteria' | 'steady'>, emit: Emit): BreachTeller {
  const watch = breachWatch();
  const clients = recentLimits(criteria);
  const servers = criteria.filter(({ source }) => source === 'server');
  const health = criteria.filter(({ metric }) => metric === 'availability');
  let [missed, isProbed, at] = [0, false, 0];
  const tell = (news: readonly LimitNews[]) => {
    for (const one of news) emit(asEvent(one));
  };
  return {
    look: (look) => {
      const { elapsedMs, server } = look;
      if (steady !== undefined && elapsedMs < steady.from) return;
      if (steady !== undefined && elapsedMs > steady.to) return tell(watch.close(at));
      at = elapsedMs;
      const ofServers = servers.flatMap((limit) => standing(server?.(limit), limit));
      tell(watch.look([...clients(look), ...ofServers, ...(isProbed ? health.map((limit) => healthNow(limit, missed)) : [])], at));
    },
    heard: (event) => {
      if (event.type !== 'health-probed') return;
      isProbed = true;
      missed = event.good ? 0 : missed + 1;
    },
    close: () => tell(watch.close(at)),
  };
}

function standing(sample: ServerSample | undefined, limit: Criterion): LimitNow[] {
  if (sample === undefined) return [];
  const { value, holds, monitor, source } = sample;
  return [{ limit, outcome: holds ? 'pass' : 'fail', actual: exactly(value), monitor, ...(source === undefined ? {} : { source }) }];
}

function asEvent({ is, ...broken }: LimitNews): LoadctlEvent {
  if (is === 'breached') return { type: 'limit-breached', ...broken };
  return { type: 'limit-recovered', ...broken, ...(is === 'over' ? { over: true } : {}) };
}
