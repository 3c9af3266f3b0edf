import { onTestFinished } from 'vitest';
import { probesOf } from '../../src/monitors/index.js';
import type { Probe } from '../../src/monitors/kind/types.js';
import type { PlannedMonitor } from '../../src/plan/monitors.js';
import { openWorld } from '../../src/world.js';

/** The first connection of a monitor, which looks when it is asked to; it is given up when the test is over. */
export function probeOf(monitor: PlannedMonitor): Probe {
  const { clock, spawn } = openWorld();
  const [probe] = probesOf(monitor, { label: 'loadctl/test', clock, spawn, allowsHost: () => true });
  if (probe === undefined) throw new Error('a monitor without connections');
  onTestFinished(() => probe.drop());
  return probe;
}
