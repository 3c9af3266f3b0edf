import type { LiveNumbers } from '../../metrics/live-numbers.js';
import { likelyForm } from '../../metrics/wire-names.js';
import type { Labels, Sample } from './wire.js';

/** How the fleet's series stand, under the names that k6's own output has for them; no runner is among their labels. */
export function samplesOf(numbers: LiveNumbers, common: Labels, withHistograms: boolean): readonly Sample[] {
  return numbers.series().flatMap(({ name, state }): Sample[] => {
    const sample = (value: Sample['value'], of = name, more: Labels = {}): Sample => ({
      name: `k6_${of}`,
      labels: { ...state.tags, ...common, ...more },
      value,
    });
    const { type } = likelyForm(name, state.isTrend);
    if (type === 'trend') return withHistograms ? [sample(state.histogram)] : [];
    if (type === 'counter') return [sample(state.count)];
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
      sample(state.passes, sides, { condition: 'nonzero' }),
      sample(state.counted - state.passes, sides, { condition: 'zero' }),
    ];
  });
}

/** VUs of all runners add up; of any other gauge the largest is told. */
function gauge(name: string, values: readonly number[]): number {
  return name === 'vus' || name === 'vus_max' ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
}
