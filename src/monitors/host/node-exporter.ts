import { placeOf, placeText } from '../../plan/hosts.js';
import { asker, odd } from '../kind/http.js';
import type { MonitorContext, MonitorOf, Probe } from '../kind/types.js';
import { type CpuTimes, cpuCounter } from './cpu-time.js';

/** A machine by its node_exporter. */
export function exporterProbe(
  url: string,
  { token, timeout }: MonitorOf<'host'>,
  { label, clock }: Pick<MonitorContext, 'label' | 'clock'>,
): Probe {
  const source = placeText(placeOf(url));
  const metrics = new URL(url);
  if (metrics.pathname === '/') metrics.pathname = '/metrics';
  const ask = asker({ token, label, timeout, clock });
  const counted = cpuCounter(clock);
  return {
    source,
    drop: () => undefined,
    look: async () => {
      const told = readExposition(await ask.text(metrics.toString()));
      if (told === undefined) throw odd(source, 'something else than a node_exporter does');
      return [{ source, values: { ...counted(told.cpus), ...told.gauges } }];
    },
  };
}

/** Whole lines only: where a page breaks off, half a number would be another one. */
const line = /^(node_cpu_seconds_total|node_memory_MemTotal_bytes|node_memory_MemAvailable_bytes|node_load1)(?:\{([^}]*)\})? (\S+).*\n/gm;

/** What a node_exporter tells of its machine. */
export interface Exposition {
  readonly cpus: ReadonlyMap<string, CpuTimes>;
  readonly gauges: Readonly<Record<'memoryUsed' | 'memoryTotal', number>> & { readonly load?: number };
}

/** Reads what is wanted of the text that a node_exporter answers; undefined where it is none. */
export function readExposition(text: string): Exposition | undefined {
  const times = new Map<string, Map<string, number>>();
  const single = new Map<string, number>();
  for (const [, metric = '', labels = '', value = ''] of text.matchAll(line)) {
    if (metric !== 'node_cpu_seconds_total') single.set(metric, Number(value));
    else {
      const [, mode = ''] = /mode="([^"]*)"/.exec(labels) ?? [];
      const [, name = ''] = /cpu="([^"]*)"/.exec(labels) ?? [];
      times.set(name, (times.get(name) ?? new Map<string, number>()).set(mode, Number(value)));
    }
  }
  const cpus = new Map([...times].flatMap(([name, modes]) => (modes.has('idle') ? [[name, timesOf(modes)] as const] : [])));
  const [total, available] = [single.get('node_memory_MemTotal_bytes'), single.get('node_memory_MemAvailable_bytes')];
  if (cpus.size === 0 || total === undefined || available === undefined) return undefined;
  const load = single.get('node_load1');
  return { cpus, gauges: { memoryUsed: total - available, memoryTotal: total, ...(load === undefined ? {} : { load }) } };
}

const notBusy: readonly string[] = ['idle', 'iowait', 'steal'];

function timesOf(modes: ReadonlyMap<string, number>): CpuTimes {
  const busy = [...modes].reduce((sum, [mode, seconds]) => (notBusy.includes(mode) ? sum : sum + seconds), 0);
  return { busy, idle: modes.get('idle') ?? 0, waiting: modes.get('iowait'), stolen: modes.get('steal') };
}
