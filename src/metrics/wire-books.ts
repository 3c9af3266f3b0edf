import type { RunnerId } from '../core/ids.js';
import { builtInNames, likelyForm, type WireForm } from './wire-names.js';

/** Which metric is called so on the wire, and in what form it was pushed. */
export interface WireMetric {
  readonly metric: string;
  readonly form: WireForm;
}

/** Knows what the metrics are called that were pushed: `queue_total` may be a counter `queue`, or a gauge `queue_total`. */
export interface WireBook {
  /** A runner has pushed a series of this name. */
  enter(name: string, runner: RunnerId): void;
  /** The names that may be those of two metrics, each with a runner that knows. */
  unsure(): ReadonlyMap<string, RunnerId>;
  /** Whether there is a metric that is itself called so. */
  settle(name: string, isItself: boolean): void;
  /** The metric of a name; the likelier one as long as nobody knows. */
  metricOf(name: string, isTrend: boolean): WireMetric;
}

/** A {@link WireBook} without names. */
export function wireBook(): WireBook {
  const open = new Map<string, RunnerId>();
  const known = new Set<string>();
  const themselves = new Set<string>();
  return {
    enter: (name, runner) => {
      if (known.has(name)) return;
      known.add(name);
      const isPlain = [true, false].every((isTrend) => likelyForm(name, isTrend).suffix === '');
      if (!isPlain && !builtInNames.has(name)) open.set(name, runner);
    },
    unsure: () => open,
    settle: (name, isItself) => {
      open.delete(name);
      if (isItself) themselves.add(name);
    },
    metricOf: (name, isTrend) => {
      const form: WireForm = themselves.has(name)
        ? { suffix: '', type: isTrend ? 'trend' : 'gauge', contains: 'default', scale: 1 }
        : likelyForm(name, isTrend);
      return { metric: name.slice(0, name.length - form.suffix.length), form };
    },
  };
}
