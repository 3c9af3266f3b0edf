import type { Gate } from '../../core/gate.js';
import { held } from '../kind/held.js';
import type { MonitorContext, Probe } from '../kind/types.js';
import { cpuCounter } from './cpu-time.js';
import { type FarShell, openFarShell } from './far-shell.js';
import { machineValues, notLinux } from './machine.js';

/** A machine by ssh: over one session that is held, a shell there says what its /proc says. */
export function farMachineProbe(name: string, gate: Gate, context: MonitorContext): Probe {
  const shell = held<FarShell>({
    open: () => openFarShell(name, gate, context),
    close: (open) => open.close(),
    leavesWhole: () => false,
  });
  const counted = cpuCounter(context.clock);
  return {
    source: name,
    drop: shell.drop,
    look: async () => {
      const lines = await shell.use((open) => open.ask());
      const part = (start: string) => lines.filter((line) => line.startsWith(start)).join('\n');
      const texts = { stat: part('cpu'), memory: part('Mem'), load: part('load ').slice('load '.length) };
      const values = machineValues(texts, counted);
      if (values === undefined) throw notLinux(name);
      return [{ source: name, values }];
    },
  };
}
