import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parentOf } from './agents.js';
import { type Workplace, workplace } from './loadctl.js';
import type { Target } from './target.js';

/** A test that a fleet makes load with, and what it makes of it. */
export interface FleetTest {
  /** Words of the profile's `target`, where that is not one URL. */
  readonly target?: string;
  /** Words of the profile's `workload` besides its script. */
  readonly workload?: string;
  /** Words of the profile's `runners`. */
  readonly runners?: string;
  /** Further lines of the profile. */
  readonly profile?: string;
  /** What the script has instead of a request every 50 ms and a teardown(). */
  readonly script?: string;
  /** Lines of sh that run instead of k6 for the second runner's `k6 run`: `"$K6" "$@"`. */
  readonly secondK6?: string;
  readonly vus?: number;
}

/** The imports that scripts of these tests share. */
export const imports = `import http from 'k6/http';
import exec from 'k6/execution';
import { check, group, sleep } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';
`;

const steady = `export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }
`;

/** An event as it stands in events.ndjson. */
export interface KeptEvent {
  readonly type: string;
  readonly t: number;
  readonly runner?: string;
  readonly pid?: number;
  readonly elapsedMs?: number;
  readonly cause?: string;
  readonly numbers?: string;
  readonly lost?: number;
  readonly code?: string;
}

/** A place where a fleet can be run against a target. */
export interface FleetPlace extends Workplace {
  readonly env: Record<string, string>;
  events(): KeptEvent[];
  /** Waits until such an event is kept. */
  event(of: (event: KeptEvent) => boolean): Promise<KeptEvent>;
  /** Sends a signal to a runner's k6. */
  signal(runner: string, signal: NodeJS.Signals): void;
  /** ... to the shell that started it, which is to say how it ended. */
  signalParent(runner: string, signal: NodeJS.Signals): void;
  verdict(): { readonly verdict: string; readonly reasons: readonly string[]; readonly exitCodes: readonly number[] };
  summary(): { readonly metrics: Record<string, { readonly values: Record<string, number> }>; readonly durationMs: number };
}

/** Makes a {@link FleetPlace}. */
export function fleetPlace(target: Pick<Target, 'url'>, { workload = 'vus: 4, duration: 60s', ...test }: FleetTest): FleetPlace {
  const k6 = process.env.LOADCTL_K6 ?? 'k6';
  const second = test.secondK6 === undefined ? '' : `if [ "$1" = run ] && [ "$LOADCTL_RUNNER" = 2 ]; then\n${test.secondK6}\nfi\n`;
  const at = workplace({
    'profiles/dev.yaml': [
      `target: {${test.target ?? `url: "${target.url}"`}}`,
      `workload: {script: ../script.js${workload === '' ? '' : `, ${workload}`}}`,
      `runners: {${test.runners ?? 'count: 2'}}`,
      test.profile ?? '',
    ].join('\n'),
    'script.js': `${imports}${test.script ?? steady}`,
    'k6.sh': `#!/bin/sh\nK6='${k6}'\n${second}exec "$K6" "$@"\n`,
  });
  chmodSync(join(at.folder, 'k6.sh'), 0o755);
  const read = (name: string) => readFileSync(join(at.latestRun(), name), 'utf8');
  const events = () => {
    try {
      return read('events.ndjson')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as KeptEvent);
    } catch {
      return []; // the run has no directory yet
    }
  };
  const pidOf = (runner: string) => {
    const started = events().find((event) => event.type === 'runner-started' && event.runner === runner);
    if (started?.pid === undefined) throw new Error(`runner ${runner} has not started`);
    return started.pid;
  };
  return {
    ...at,
    env: { LOADCTL_K6: join(at.folder, 'k6.sh') },
    events,
    event: async (of) => {
      await expect.poll(() => events().some(of), { timeout: 40_000, interval: 20 }).toBe(true);
      return events().find(of) as KeptEvent;
    },
    signal: (runner, signal) => void process.kill(pidOf(runner), signal),
    signalParent: (runner, signal) => void process.kill(parentOf(pidOf(runner)), signal),
    verdict: () => JSON.parse(read('verdict.json')),
    summary: () => JSON.parse(read('summary.json')),
  };
}

/** How many milliseconds of load an event tells of. */
export const loadOf = (ms: number) => (event: KeptEvent) => event.type === 'fleet-sampled' && (event.elapsedMs ?? 0) >= ms;
