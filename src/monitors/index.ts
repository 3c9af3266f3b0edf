import type { PlannedMonitor } from '../plan/monitors.js';
import { cloudwatch } from './cloudwatch/index.js';
import { host } from './host/index.js';
import type { MonitorContext, OpenMonitor, Probe } from './kind/types.js';
import { pgbouncer } from './pgbouncer.js';
import { postgres } from './postgres.js';
import { prometheus } from './prometheus/index.js';
import { queue } from './queue/index.js';
import { redis } from './redis.js';

/** Every kind of monitor there is. */
const monitors = { postgres, pgbouncer, redis, queue, host, prometheus, cloudwatch } satisfies {
  [Kind in PlannedMonitor['kind']]: OpenMonitor<Kind>;
};

/** The probes of a monitor; they connect with their first look. */
export function probesOf(monitor: PlannedMonitor, context: MonitorContext): readonly Probe[] {
  // The registry's own type pairs every kind with its configuration; TypeScript cannot follow that through a union.
  const open = monitors[monitor.kind] as (monitor: PlannedMonitor, context: MonitorContext) => readonly Probe[];
  return open(monitor, context);
}
