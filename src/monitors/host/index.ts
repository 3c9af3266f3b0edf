import { makeGate } from '../../core/gate.js';
import type { OpenMonitor, Probe } from '../kind/types.js';
import { groupProbe } from './control-group.js';
import { farMachineProbe } from './far-machine.js';
import { machineProbe } from './machine.js';
import { exporterProbe } from './node-exporter.js';
import { processesProbes } from './processes.js';

/** Handshakes at once: a jump host before all of them drops some where there are ten (MaxStartups). */
const handshakesAtOnce = 6;

/** Machines by their node_exporter or by ssh, this machine, its control groups, or processes of it. */
export const host: OpenMonitor<'host'> = (monitor, context): readonly Probe[] => {
  const { nodeExporter, ssh, here, cgroup, places } = monitor;
  if (nodeExporter !== undefined) return nodeExporter.map((url) => exporterProbe(url, monitor, context));
  if (ssh !== undefined) {
    const gate = makeGate(handshakesAtOnce);
    return ssh.map((name) => farMachineProbe(name, gate, context));
  }
  if (cgroup !== undefined) return cgroup.map((path) => groupProbe(path, context));
  if (here !== true && places !== undefined) return processesProbes(places, context);
  return [machineProbe(context)];
};
