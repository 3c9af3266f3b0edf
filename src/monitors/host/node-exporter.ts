import { placeOf, placeText } from '../../plan/hosts.js';
import { askUrl, odd } from '../kind/http.js';
import type { MonitorContext, MonitorOf, Probe } from '../kind/types.js';

/** A machine by its node_exporter. */
export function exporterProbe(url: string, { token, timeout }: MonitorOf<'host'>, { label }: MonitorContext): Probe {
  const source = placeText(placeOf(url));
  const metrics = new URL(url);
  if (metrics.pathname === '/') metrics.pathname = '/metrics';
  return {
    source,
    drop: () => undefined,
    look: async () => {
      const values = readExposition(await askUrl(metrics.toString(), { token, label, timeout }));
      if (values === undefined) throw odd(source, 'something else than a node_exporter does');
      return [{ source, values }];
    },
  };
}

const line = /^(node_cpu_seconds_total|node_memory_MemTotal_bytes|node_memory_MemAvailable_bytes|node_load1)(?:\{([^}]*)\})? (\S+)/gm;

/** Reads what is wanted of the text that a node_exporter answers; undefined where it is none. */
export function readExposition(text: string): Record<string, number> | undefined {
  const cpu = new Map<string, number>();
  const names = new Set<string>();
  const single = new Map<string, number>();
  for (const [, metric = '', labels = '', value = ''] of text.matchAll(line)) {
    if (metric !== 'node_cpu_seconds_total') single.set(metric, Number(value));
    else {
      const [, mode = ''] = /mode="([^"]*)"/.exec(labels) ?? [];
      names.add(/cpu="([^"]*)"/.exec(labels)?.[1] ?? '');
      cpu.set(mode, (cpu.get(mode) ?? 0) + Number(value));
    }
  }
  const [total, available] = [single.get('node_memory_MemTotal_bytes'), single.get('node_memory_MemAvailable_bytes')];
  if (cpu.size === 0 || total === undefined || available === undefined) return undefined;
  const seconds = (mode: string) => cpu.get(mode) ?? 0;
  const all = [...cpu.values()].reduce((sum, each) => sum + each, 0);
  return {
    cpuBusy: all - seconds('idle') - seconds('iowait') - seconds('steal'),
    cpuTotal: all,
    cpuWaiting: seconds('iowait'),
    cpuStolen: seconds('steal'),
    memoryUsed: total - available,
    memoryTotal: total,
    load: single.get('node_load1') ?? 0,
    cpus: names.size,
  };
}
