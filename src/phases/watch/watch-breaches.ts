import type { Criterion } from '../../core/criterion.js';
import type { Emit, LoadctlEvent } from '../../core/events.js';
import type { ServerSample } from '../../core/monitors.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { LiveLook } from '../../metrics/abort-watch.js';
import { breachWatch, type LimitNews, type LimitNow } from '../../metrics/breaches.js';
import { exactly } from '../../metrics/evaluate.js';
import { healthNow, recentLimits } from '../../metrics/recent-limits.js';
import { recentMs } from '../../metrics/servers/recent.js';
import { isUpper } from '../../metrics/servers/statistic.js';
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
      const judgedMs = Math.min(recentMs, elapsedMs - (steady?.from ?? 0));
      const ofServers = server === undefined ? [] : servers.flatMap((limit) => standing(limit, server, judgedMs));
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

/** The time between two looks: what broke a limit in between did break it. */
const everyMs: Milliseconds = 1000;

/** How a limit stands over the last seconds, and by the worst value since the last look; one that must be broken for a while is about the last alone. */
function standing(limit: Criterion, server: NonNullable<LiveLook['server']>, judgedMs: Milliseconds): LimitNow[] {
  const isLasting = limit.for !== undefined;
  const worst = { ...limit, stat: isUpper(limit) ? 'max' : 'min' };
  const sample = server(limit, isLasting ? 0 : judgedMs);
  const now = isLasting ? sample : server(worst, Math.min(everyMs, judgedMs));
  if (now === undefined || sample === undefined) return [];
  const { value, monitor, source } = sample;
  const where = { monitor, ...(source === undefined ? {} : { source }) };
  return [{ limit, outcome: outcomeOf(sample), latest: outcomeOf(now), actual: exactly(value), ...where }];
}

function outcomeOf({ holds }: ServerSample): 'pass' | 'fail' {
  return holds ? 'pass' : 'fail';
}

function asEvent({ is, ...broken }: LimitNews): LoadctlEvent {
  if (is === 'breached') return { type: 'limit-breached', ...broken };
  return { type: 'limit-recovered', ...broken, ...(is === 'over' ? { over: true } : {}) };
}
