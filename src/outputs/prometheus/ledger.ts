import { addHistograms, emptyHistogram } from '../../metrics/native-histogram.js';
import type { Labels, Sample } from './wire.js';

/** What there is to write of a moment, a request each: zeros of what is new, of the second before, then how everything stands. */
export interface Turn {
  readonly zeros: { readonly floats: readonly Sample[]; readonly histograms: readonly Sample[] };
  readonly floats: readonly Sample[];
  readonly histograms: readonly Sample[];
}

/** Knows every series that was written. */
export interface Ledger {
  /** Enters how series stand now, and hands back what is to be written. */
  enter(samples: readonly Sample[]): Turn;
  /** The ends of all series: without them each would live on for five minutes. */
  ends(): Turn;
}

/** A {@link Ledger} without series. Counters begin at zero: to Prometheus a first value that nothing came before is no increase. */
export function ledger(): Ledger {
  const known = new Map<string, Pick<Sample, 'name' | 'labels'> & { readonly isHistogram: boolean }>();
  return {
    enter: (samples) => {
      const fresh = samples.filter((sample) => !known.has(keyOf(sample)));
      for (const { name, labels, value } of fresh)
        known.set(keyOf({ name, labels }), { name, labels, isHistogram: typeof value === 'object' });
      const zeros = fresh.filter(({ name, value }) => typeof value === 'object' || name.endsWith('_total'));
      return {
        zeros: apart(zeros.map((sample) => ({ ...sample, value: typeof sample.value === 'object' ? emptyHistogram : 0 }))),
        ...apart(
          samples.map((sample) => ({ ...sample, value: typeof sample.value === 'object' ? addHistograms([sample.value]) : sample.value })),
        ),
      };
    },
    ends: () => {
      const all = [...known.values()];
      const of = (isHistogram: boolean) =>
        all.filter((one) => one.isHistogram === isHistogram).map(({ name, labels }): Sample => ({ name, labels, value: 'stale' }));
      return { zeros: { floats: [], histograms: [] }, floats: of(false), histograms: of(true) };
    },
  };
}

function apart(samples: readonly Sample[]): Turn['zeros'] {
  return {
    floats: samples.filter(({ value }) => typeof value !== 'object'),
    histograms: samples.filter(({ value }) => typeof value === 'object'),
  };
}

function keyOf({ name, labels }: { readonly name: string; readonly labels: Labels }): string {
  return `${name}${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
