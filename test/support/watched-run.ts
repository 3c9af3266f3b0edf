import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MonitorLine } from '../../src/core/monitors.js';
import type { Verdict } from '../../src/core/verdict.js';
import { type FleetPlace, fleetPlace, type KeptEvent } from './fleet-place.js';
import { startTarget } from './target.js';

/** What a profile says of servers, and what came of a run of it. */
export interface WatchedPlace extends FleetPlace {
  /** The lines of monitors.ndjson. */
  lines(): readonly MonitorLine[];
  /** The whole of verdict.json. */
  judged(): Verdict;
  /** Events of one type. */
  told(type: string): readonly (KeptEvent & Record<string, unknown>)[];
}

/** A place with a small load and these lines of a profile. */
export async function watchedPlace(profile: string, duration = '8s', load = 'vus: 2'): Promise<WatchedPlace> {
  const target = await startTarget();
  const at = fleetPlace(target, { workload: `${load}, duration: ${duration}`, runners: 'count: 1', profile });
  const read = (name: string) => {
    const file = join(at.latestRun(), name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  return {
    ...at,
    lines: () =>
      read('monitors.ndjson')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as MonitorLine),
    judged: () => JSON.parse(read('verdict.json')) as Verdict,
    told: (type) => at.events().filter((event) => event.type === type) as (KeptEvent & Record<string, unknown>)[],
  };
}

/** What came of each criterion, by its name. */
export function outcomesOf({ criteria }: Verdict): Record<string, string> {
  return Object.fromEntries(criteria.map(({ name, outcome }) => [name, outcome]));
}

/** The row of a criterion. */
export function rowOf({ criteria }: Verdict, name: string) {
  const found = criteria.find((criterion) => criterion.name === name);
  if (found === undefined) throw new Error(`no criterion ${name} in ${criteria.map((criterion) => criterion.name).join(', ')}`);
  return found;
}
