import type { EpochMs } from '../../core/quantities.js';
import { emptyHistogram, type NativeHistogram } from '../../metrics/native-histogram.js';
import type { Parcel, Trial } from '../kind/types.js';
import { type Sample, seriesOf, writeRequest } from './wire.js';

/** The series that a test of an output writes, and the beginning of its histogram's name. */
export const trialName = 'loadctl_test';

/** A histogram of one sample of a second. */
const oneSecond: NativeHistogram = { ...emptyHistogram, count: 1, sum: 1, positive: new Map([[0, 1]]) };

/** A series and a histogram of one sample each, and their ends: requests apart, as those of a run. */
export function trialParcels({ testid, message: { at } }: Trial, environment: string, withHistograms: boolean): readonly Parcel[] {
  const labels = { testid, environment };
  const float: Sample = { name: trialName, labels, value: 1 };
  const histograms: Sample[] = withHistograms ? [{ name: `${trialName}_seconds`, labels, value: oneSecond }] : [];
  const ended = (samples: readonly Sample[]) => samples.map((sample): Sample => ({ ...sample, value: 'stale' }));
  const parcel = (what: string, samples: readonly Sample[], when: EpochMs): Parcel[] => {
    if (samples.length === 0) return [];
    const written = samples.map((sample) => ({ series: seriesOf(sample), value: sample.value }));
    const body = Buffer.from(writeRequest(written, when)).toString('base64');
    return [{ id: `${testid}-${what}`, second: Math.floor(when / 1000), body }];
  };
  return [
    ...parcel('floats', [float], at),
    ...parcel('histograms', histograms, at),
    ...parcel('ends', ended([float]), at + 1),
    ...parcel('ends-histograms', ended(histograms), at + 1),
  ];
}
