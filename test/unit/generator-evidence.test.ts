import { describe, expect, test } from 'vitest';
import type { LoadctlEvent, LoggedEvent } from '../../src/core/events.js';
import { runnerId } from '../../src/core/ids.js';
import type { Evidence } from '../../src/metrics/criterion.js';
import type { GeneratorSample } from '../../src/metrics/generators.js';
import type { Summary } from '../../src/metrics/summary.js';
import { withGenerators } from '../../src/phases/verify/generator-evidence.js';
import type { RunRecord } from '../../src/runs/record.js';
import { runId } from '../support/ids.js';

const load = { vus: 10, rate: 100, duration: 60_000, ramp: 10_000 };
const steady = { from: 10_000, to: 50_000 };
const record = (plan: object = { load, steady, iterationsPerSecond: 100 }) => ({ plan, choices: [] }) as unknown as RunRecord;

const counter = (count: number) => ({ type: 'counter', contains: 'default', values: { count }, bounds: {} }) as const;
const summary = (more: Summary['metrics'] = {}, durationMs = 60_000): Summary => ({
  version: 1,
  run: runId('r'),
  k6Version: 'v2.2.0',
  durationMs,
  runners: 2,
  metrics: { http_reqs: counter(10_000), iterations: counter(5000), 'iterations{part:steady}': counter(4000), ...more },
  rootGroup: { name: '', path: '', id: '', groups: [], checks: [] },
});

const nothing: Evidence = {
  run: runId('r'),
  summary: undefined,
  probes: undefined,
  windowMs: 40_000,
  tagged: true,
  windows: { steady: '', test: '' },
  faults: ['The lock was lost.'],
  shortfalls: [],
  interruption: undefined,
};

interface Told {
  readonly events?: readonly LoadctlEvent[];
  readonly samples?: readonly GeneratorSample[];
  readonly measured?: Summary;
  readonly of?: RunRecord;
}

function found({ events = [], samples = [], measured = summary(), of = record() }: Told) {
  const logged: LoggedEvent[] = [
    { at: 100_000, t: 1000, type: 'fleet-released', runners: 2 },
    { at: 161_000, t: 62_000, type: 'load-ended', elapsedMs: 61_000 },
    ...events.map((event): LoggedEvent => ({ at: 162_000, t: 63_000, ...event })),
  ];
  const { faults, shortfalls } = withGenerators(nothing, { record: of, summary: measured, events: logged, samples });
  return [...faults.slice(1), ...shortfalls.map(({ what }) => what)];
}

const arrived = { type: 'runner-ended', runner: runnerId(1), cause: 'reached-end', numbers: 'own', lost: 0 } as const;
const unreadable = { type: 'noted', code: 'generators-unreadable' } as const;
const skew = (skewMs: number): LoadctlEvent => ({ type: 'start-skew-measured', skewMs });
const short = (of: 'ports' | 'open files' | 'memory', times: number): LoadctlEvent => ({
  type: 'runner-short',
  runner: runnerId(2),
  of,
  times,
});
const lost: LoadctlEvent = { type: 'runner-ended', runner: runnerId(2), cause: 'killed', signal: 'SIGKILL', numbers: 'pushed', lost: 0.1 };

/** A sample a second from the release on; the machine of runner 2 is full and out of memory from `from` to `to`. */
const samples = (from: number, to: number): GeneratorSample[] =>
  Array.from({ length: 60 }, (_, second) => {
    const isShort = second >= from && second < to;
    return {
      t: 2000 + second * 1000,
      runner: runnerId(2),
      host: 'h',
      overMs: 1000,
      processCpu: isShort ? 2 : 0.1,
      processMemory: 1e8,
      cpus: 2,
      machineCpu: isShort ? 1 : 0.1,
      memory: 8e9,
      freeMemory: isShort ? 1e8 : 4e9,
    };
  });

describe('faults', () => {
  test.each<[name: string, told: Told, said: (string | RegExp)[]]>([
    ['none', {}, []],
    ['nothing of what they used', { events: [arrived] }, [/^What the generators used is missing from generators\.ndjson/]],
    ['nothing of what they used, as nobody can look', { events: [unreadable, arrived] }, []],
    ['a start within a second', { events: [skew(1000)] }, []],
    ['a start within 2% of a long test', { events: [skew(1900)], measured: summary({}, 100_000) }, []],
    ['too late a start', { events: [skew(1900)] }, [/^The runners began 1\.9s apart, more than the 1\.2s that this test allows/]],
    ['too late a start of any test', { events: [skew(6000)], measured: summary({}, 3_600_000) }, [/began 6s apart, more than the 5s/]],
    ['a port too few, once', { events: [short('ports', 1)] }, []],
    ['too few ports', { events: [short('ports', 10)] }, [/^Runner 2 had no free port for a connection, 10 times: use more hosts/]],
    ['too few open files', { events: [short('open files', 55)] }, [/^Runner 2 had too many open files .* 55 times: raise its limit/]],
    ['no memory, once', { events: [short('memory', 1)] }, [/^Runner 2 ran out of memory/]],
    ['a full machine in the window', { samples: samples(20, 41) }, [/^Runner 2's machine was above 90% CPU for 21 s of 40 s/]],
    ['a full machine in the ramps', { samples: [...samples(0, 9), ...samples(50, 60)] }, []],
    [
      'a runner lost without memory',
      { samples: samples(57, 60), events: [lost] },
      [/less than 5% of its memory free when the runner was lost/],
    ],
    ['a runner lost for another reason', { samples: samples(0, 0), events: [lost] }, []],
  ])('%s', (_, told, said) => {
    const faults = found(told);
    expect(faults).toEqual(said.map((text) => expect.stringMatching(text)));
  });
});

describe('load that is missing', () => {
  const dropping = summary({ dropped_iterations: counter(500) });
  const slow = summary({ 'iterations{part:steady}': counter(3000) });
  test.each<[name: string, told: Told, said: string[]]>([
    ['dropped', { measured: dropping }, ['500 of 5,500 iterations (9.1%) were never begun (dropped_iterations)']],
    ['in the window', { measured: slow }, ['75/s of the planned 100/s iterations were made']],
    ['of a load that ended early', { measured: slow, events: [{ type: 'fleet-stopped', cause: 'signal' }] }, []],
    ['of a lost runner', { measured: slow, events: [lost] }, []],
    [
      'of a test that the script failed',
      {
        measured: slow,
        events: [unreadable, { ...arrived, markedFailed: true }],
      },
      [],
    ],
    ['in a window that reaches into the ramps', { measured: slow, of: record({ load, iterationsPerSecond: 100 }) }, []],
    ['of a load of the script’s own', { measured: slow, of: record({}) }, []],
  ])('%s', (_, told, said) => expect(found(told)).toEqual(said));
});
