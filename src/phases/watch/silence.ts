import type { Emit } from '../../core/events.js';
import type { MonitorLine } from '../../core/monitors.js';
import type { PlannedMonitor } from '../../plan/monitors.js';

/** So many failed looks in a row are worth a warning. */
const fewLooks = 3;

/**
 * Tells once when a source falls silent, and when it is back. `by` is whose connection a line came over: what fails for all of its
 * sources is told under that name, and is over once any of them answers.
 */
export function silenceTeller(monitors: readonly PlannedMonitor[], emit: Emit): (line: MonitorLine, by: string) => void {
  const required = new Map(monitors.map(({ name, required: needed }) => [name, needed]));
  const missed = new Map<string, number>();
  return ({ monitor, source, error, values }, by) => {
    const before = (name: string) => missed.get(`${monitor} ${name}`) ?? 0;
    if (error !== undefined) {
      missed.set(`${monitor} ${source}`, before(source) + 1);
      if (before(source) !== fewLooks) return;
      emit({ type: 'warned', code: 'monitor-silent', monitor, source, why: error, required: required.get(monitor) ?? true });
    } else if (values !== undefined) {
      for (const name of new Set([source, by])) {
        if (before(name) >= fewLooks) emit({ type: 'noted', code: 'monitor-back', monitor, source: name });
        missed.set(`${monitor} ${name}`, 0);
      }
    }
  };
}
