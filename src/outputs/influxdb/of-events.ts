import type { EndpointNumbers, LiveLatency, LoggedEvent } from '../../core/events.js';
import type { LiveValue } from '../../core/quantities.js';
import { markOf } from '../messages/mark.js';
import { nanoseconds, type Point } from './line.js';

/** What every point of a command carries; `testid` is the run, as k6's dashboards have it. */
export interface Common {
  readonly environment: string;
  readonly testid: string | undefined;
}

/** The points of family `loadctl` that an event is. */
export function pointsOf(event: LoggedEvent, common: Common, order: number): readonly Point[] {
  const at = nanoseconds(event.at, order);
  const point = (measurement: string, tags: Point['tags'], fields: Point['fields']): Point => ({
    measurement,
    tags: { ...common, ...tags },
    fields,
    at,
  });
  switch (event.type) {
    case 'servers-sampled':
      return event.samples.map(({ limit, value, holds, monitor, source }) =>
        point(
          'loadctl_criterion',
          { criterion: limit.name, source: limit.source, monitor, of: source },
          { limit: limit.limit, actual: value, ok: holds },
        ),
      );
    case 'measured':
      return [
        point('loadctl_run', { name: undefined }, { ...numbersOf(event.all), runners: event.runners, k6_version: event.k6Version }),
        ...event.endpoints.map((each) => point('loadctl_run_endpoint', { name: each.name }, numbersOf(each))),
      ];
    case 'judged':
      return [
        point(
          'loadctl_verdict',
          {},
          { verdict: event.verdict.verdict, passed: event.verdict.verdict === 'pass', reasons: event.verdict.reasons.join('\n') },
        ),
        ...event.verdict.criteria.map(({ name, source, limit, actual, low, high, outcome }) =>
          point(
            'loadctl_criterion_judged',
            { criterion: name, source },
            { limit, actual: actual ?? undefined, low: low ?? undefined, high: high ?? undefined, ok: outcome === 'pass', outcome },
          ),
        ),
      ];
    default: {
      const text = markOf(event);
      return text === undefined ? [] : [point('events', { tags: `loadctl,${event.type}` }, { text })];
    }
  }
}

function numbersOf({ requests, requestsPerSecond, errors, latency }: EndpointNumbers): Point['fields'] {
  return {
    requests,
    requests_per_second: requestsPerSecond,
    errors,
    ...percentileFields(latency),
  };
}

/** `p95`, `p95_low`, `p95_high`, in milliseconds. */
export function percentileFields(latency: LiveLatency | undefined): Point['fields'] {
  const fields = Object.entries<LiveValue>({ ...latency }).flatMap(([name, { value, low, high }]) => [
    [name, value] as const,
    [`${name}_low`, low] as const,
    [`${name}_high`, high] as const,
  ]);
  return Object.fromEntries(fields);
}
