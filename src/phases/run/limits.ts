import type { Crossing } from '../../core/criterion.js';
import { abortWatch, type LiveLook } from '../../metrics/abort-watch.js';
import { tagsIn } from '../../metrics/metric-key.js';
import { readScriptThresholds } from '../../metrics/threshold.js';
import type { PhaseContext } from '../frame/context.js';
import type { PreparedTest } from './prepare.js';

/** What ends this test before its time: the script's `abortOnFail` and the profile's `abort`, on the fleet's live data. */
export function watchFor({ profile }: PhaseContext, { options }: PreparedTest): (look: LiveLook) => Crossing | undefined {
  return abortWatch(readScriptThresholds(options.thresholds).byMetric, profile.abort);
}

/** The names of requests that limits are about, and that the mix has: they are kept apart however many there are. */
export function namesOfInterest({ profile, plan }: PhaseContext, { options }: PreparedTest): ReadonlySet<string> {
  const keys = [
    ...Object.keys(readScriptThresholds(options.thresholds).byMetric),
    ...plan.criteria.map(({ metric }) => metric),
    ...profile.abort.map(({ when }) => when.metric),
  ];
  return new Set([...plan.endpoints.map(({ name }) => name), ...keys.flatMap((key) => tagsIn(key).name ?? [])]);
}
