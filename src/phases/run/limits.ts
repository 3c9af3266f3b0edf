import type { Crossing } from '../../core/criterion.js';
import { abortWatch, type LiveLook } from '../../metrics/abort-watch.js';
import { tagsIn } from '../../metrics/metric-key.js';
import type { RunContext } from '../frame/context.js';
import type { PreparedTest } from './prepare.js';

/** What ends this test before its time: the script's `abortOnFail` and the plan's `abort`, on the fleet's live data. */
export function watchFor({ plan }: RunContext, { own }: PreparedTest): (look: LiveLook) => Crossing | undefined {
  return abortWatch(own, plan.abort);
}

/** The names of requests that limits are about, and that the mix has: they are kept apart however many there are. */
export function namesOfInterest({ plan }: RunContext, { own }: PreparedTest): ReadonlySet<string> {
  const keys = [...Object.keys(own), ...plan.criteria.map(({ metric }) => metric), ...plan.abort.map(({ when }) => when.metric)];
  return new Set([...plan.endpoints.map(({ name }) => name), ...keys.flatMap((key) => tagsIn(key).name ?? [])]);
}
