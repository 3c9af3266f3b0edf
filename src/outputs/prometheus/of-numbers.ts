import type { LiveNumbers } from '../../metrics/live-numbers.js';
import { classicSamples } from './classic.js';
import { statSamples } from './stats.js';
import type { Labels, Sample } from './wire.js';

/** How trends are written. */
export interface Trends {
  readonly native: boolean;
  readonly classic: boolean;
  /** As gauges of the whole. */
  readonly stats: readonly string[];
}

/** How the fleet's series stand, under the names that k6's own output has for them; no runner is among their labels. */
export function samplesOf(numbers: LiveNumbers, common: Labels, trends: Trends): readonly Sample[] {
  const own = numbers.series().flatMap(({ name, state, form: { type } }): Sample[] => {
    const labels = { ...state.tags, ...common };
    const sample = (value: Sample['value'], of = name, more: Labels = {}): Sample => ({
      name: `k6_${of}`,
      labels: { ...labels, ...more },
      value,
    });
    if (type === 'trend') return trends.native ? [sample(state.histogram)] : [];
    if (type === 'counter') return [{ ...sample(state.count), grows: true }];
    if (type === 'gauge')
      return [
        sample(
          gauge(
            name,
            state.last.map(({ value }) => value),
          ),
        ),
      ];
    // Shares of what nobody counts do not add up: those are left out.
    if (state.counted === 0) return [];
    const sides = name.replace(/_rate$/, '_total');
    return [
      sample(state.passes / state.counted),
      { ...sample(state.passes, sides, { condition: 'nonzero' }), grows: true },
      { ...sample(state.counted - state.passes, sides, { condition: 'zero' }), grows: true },
    ];
  });
  return [...own, ...(trends.classic ? classicSamples(numbers, common) : []), ...statSamples(numbers, common, trends.stats)];
}

/** VUs of all runners add up; of any other gauge the largest is told. */
function gauge(name: string, values: readonly number[]): number {
  return name === 'vus' || name === 'vus_max' ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
}
