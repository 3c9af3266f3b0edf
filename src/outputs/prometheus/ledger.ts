import { addHistograms, emptyHistogram } from '../../metrics/native-histogram.js';
import { type Sample, seriesOf, seriesWith, type Written } from './wire.js';

/** What there is to write of a moment, in requests apart: zeros of what is new, of the second before, then how everything stands. */
export interface Turn {
  readonly zeros: { readonly floats: readonly Written[]; readonly histograms: readonly Written[] };
  readonly floats: readonly Written[];
  readonly histograms: readonly Written[];
}

/** Knows every series that was written. */
export interface Ledger {
  /** Enters how series stand now, and hands back what is to be written. */
  enter(samples: readonly Sample[]): Turn;
  /** The ends of all series: without them each would live on for five minutes. */
  ends(): Turn;
}

/** How a series stands. */
interface Standing extends Written {
  readonly grows: boolean;
}

/** A {@link Ledger} without series. Counters begin at zero: to Prometheus a first value that nothing came before is no increase. */
export function ledger(): Ledger {
  /** By their keys, whether they are histograms: a run may have 40,000. */
  const known = new Map<string, boolean>();
  return {
    enter: (samples) => {
      const standing = asOne(samples);
      const fresh = standing.filter(({ series }) => !known.has(series.key));
      for (const { series, value } of fresh) known.set(series.key, typeof value === 'object');
      const zeros = fresh.filter(({ grows }) => grows);
      return {
        zeros: apart(zeros.map(({ series, value }) => ({ series, value: typeof value === 'object' ? emptyHistogram : 0 }))),
        ...apart(standing),
      };
    },
    ends: () => {
      const of = (histograms: boolean) =>
        [...known].flatMap(([key, isHistogram]): Written[] =>
          isHistogram === histograms ? [{ series: seriesWith(key), value: 'stale' }] : [],
        );
      return { zeros: { floats: [], histograms: [] }, floats: of(false), histograms: of(true) };
    },
  };
}

/**
 * Every series once. Tags that differ only in what Prometheus cannot write are one series there: what was counted adds up, as a
 * request with two values of one series is refused with all that is in it.
 */
function asOne(samples: readonly Sample[]): Standing[] {
  const all = new Map<string, Standing>();
  for (const sample of samples) {
    const series = seriesOf(sample);
    const { value } = sample;
    const before = all.get(series.key);
    const grows = sample.grows === true || typeof value === 'object';
    all.set(series.key, { series, grows, value: before !== undefined && grows ? sumOf(before.value, value) : value });
  }
  return [...all.values()];
}

function sumOf(a: Sample['value'], b: Sample['value']): Sample['value'] {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return typeof a === 'object' && typeof b === 'object' ? addHistograms([a, b]) : b;
}

function apart(samples: readonly Written[]): Turn['zeros'] {
  return {
    floats: samples.filter(({ value }) => typeof value !== 'object'),
    histograms: samples.filter(({ value }) => typeof value === 'object'),
  };
}
