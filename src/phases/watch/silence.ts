import type { Emit } from '../../core/events.js';
import type { MonitorLine } from '../../core/monitors.js';
import type { PlannedMonitor } from '../../plan/monitors.js';

/** So many failed looks in a row are worth a warning. */
const fewLooks = 3;

/** Tells once when a source falls silent, and when it is back. */
export function silenceTeller(monitors: readonly PlannedMonitor[], emit: Emit): (line: MonitorLine) => void {
  const required = new Map(monitors.map(({ name, required: needed }) => [name, needed]));
  const missed = new Map<string, number>();
  return ({ monitor, source, error, values }) => {
    const key = `${monitor} ${source}`;
    const before = missed.get(key) ?? 0;
    if (error !== undefined) {
      missed.set(key, before + 1);
      if (before + 1 !== fewLooks) return;
      emit({ type: 'warned', code: 'monitor-silent', monitor, source, why: error, required: required.get(monitor) ?? true });
    } else if (values !== undefined) {
      missed.set(key, 0);
      if (before >= fewLooks) emit({ type: 'noted', code: 'monitor-back', monitor, source });
    }
  };
}
