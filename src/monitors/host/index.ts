import type { OpenMonitor, Probe } from '../kind/types.js';
import { groupProbe } from './control-group.js';
import { machineProbe } from './machine.js';
import { exporterProbe } from './node-exporter.js';
import { processesProbes } from './processes.js';

/** Machines by their node_exporter, this machine, its control groups, or processes of it. */
export const host: OpenMonitor<'host'> = (monitor, context): readonly Probe[] => {
  const { nodeExporter, here, cgroup, places } = monitor;
  if (nodeExporter !== undefined) return nodeExporter.map((url) => exporterProbe(url, monitor, context));
  if (cgroup !== undefined) return cgroup.map((path) => groupProbe(path, context));
  if (here !== true && places !== undefined) return processesProbes(places, context);
  return [machineProbe()];
};
