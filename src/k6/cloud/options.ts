import { fieldsOf, type K6Options } from '../../plan/inspection.js';
import { withoutShortcuts } from '../fleet-options.js';

/** What the options of a run in Grafana Cloud have beside the script's own. */
export interface CloudAdditions {
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
  /** The test's name where the profile gives one, and where neither it nor the script does. */
  readonly name: { readonly given?: string; readonly otherwise: string };
  readonly projectID: number;
  /** As k6 has it; the script's own where it is empty. */
  readonly distribution: Readonly<Record<string, unknown>>;
  /** For a script that has none of its own. */
  readonly userAgent: string;
}

/** The options that are uploaded: the test's own, normalised, with the plan's limits as thresholds and its place in Grafana Cloud. */
export function cloudOptions(own: K6Options, { thresholds, name, projectID, distribution, userAgent }: CloudAdditions): K6Options {
  const options = withoutShortcuts(own);
  // What logs in is k6's environment to say, not the script's.
  const { token: _token, stackID: _stack, ...cloud } = fieldsOf(options.cloud);
  return {
    userAgent,
    ...options,
    thresholds: joined(fieldsOf(options.thresholds), thresholds),
    cloud: {
      name: name.otherwise,
      ...cloud,
      ...(name.given === undefined ? {} : { name: name.given }),
      projectID,
      ...(Object.keys(distribution).length === 0 ? {} : { distribution }),
    },
  };
}

/** The script's thresholds, in either of k6's forms, and ours after them. */
function joined(own: K6Options, more: CloudAdditions['thresholds']): Record<string, unknown[]> {
  const metrics = [...new Set([...Object.keys(own), ...Object.keys(more)])];
  const listOf = (thresholds: K6Options, metric: string): readonly unknown[] => {
    const list = Object.hasOwn(thresholds, metric) ? thresholds[metric] : [];
    return Array.isArray(list) ? list : [list];
  };
  return Object.fromEntries(metrics.map((metric) => [metric, [...listOf(own, metric), ...listOf(more, metric)]]));
}
