import { describe, expect, test } from 'vitest';
import { checkGuards, confirmationFor, isConfirmation, needsConfirmation, type Refusal } from '../../src/plan/guards.js';
import type { ForeseenLoad } from '../../src/plan/inspection.js';
import { unbuiltWords } from '../../src/plan/unbuilt.js';
import { load, planHere } from './profile-files.js';

const staging = `target: {url: https://staging.example.com}
workload: {script: k6.ts, vus: 100, duration: 10m, pacing: 1s}
guards: {allow: [staging.example.com], maxVus: 100, maxRate: 100/s, maxDuration: 10m}
`;

function planned(text: string) {
  const loaded = load({ 'test.yaml': text });
  return { profile: loaded.profile, plan: planHere(loaded) };
}

function refusals(text: string, act = { makesLoad: true, confirmed: true }): Refusal[] {
  const { plan, profile } = planned(text);
  return checkGuards(plan, profile, act);
}

const messages = (text: string) => refusals(text).map(({ message }) => message);

describe('guards', () => {
  test('let pass what they allow', () => {
    expect(refusals(staging)).toEqual([]);
  });

  test('are for what is beyond this machine', () => {
    expect(refusals(staging.replace('https://staging.example.com', 'http://localhost').replace('vus: 100', 'vus: 9999'))).toEqual([]);
  });

  test('know every host', () => {
    const stores = 'stores: {db: {kind: postgres, url: "postgres://db.example.com/x"}, cache: {kind: redis, url: "redis://localhost/1"}}\n';
    expect(refusals(staging + stores)).toEqual([
      {
        guard: 'allow',
        message: "db.example.com is not on the profile's list of allowed hosts.",
        fix: 'If it may be loaded, add it: guards.allow: [db.example.com]',
      },
    ]);
  });

  test.each([
    ['*.example.com', 0],
    ['*.staging.example.com', 1],
    ['example.com', 1],
    ['STAGING.example.com', 0],
    ['*.ample.com', 1],
  ])('allow %s: %i refused', (entry, count) => {
    expect(refusals(staging.replace('[staging.example.com]', `["${entry}"]`))).toHaveLength(count);
  });

  test('cap VUs, rate and duration', () => {
    expect(messages(staging.replace('vus: 100, duration: 10m', 'vus: 200, duration: 20m'))).toEqual([
      'The load is 200 VUs; guards.maxVus allows 100 VUs.',
      'The load is 200 iterations/s; guards.maxRate allows 100 iterations/s.',
      'The load is 20m; guards.maxDuration allows 10m.',
    ]);
  });

  test('cap nothing where no load is made', () => {
    expect(refusals(staging.replace('vus: 100', 'vus: 200'), { makesLoad: false, confirmed: true })).toEqual([]);
  });

  describe('of a script with a load of its own', () => {
    const own = staging.replace(', vus: 100, duration: 10m, pacing: 1s', '');
    const scenario = { name: 'a', executor: 'constant-vus', vus: 50, startMs: 0, durationMs: 60_000, open: false };
    const foreseen: ForeseenLoad = { vus: 50, durationMs: 60_000, iterationsPerSecond: 10, open: false, scenarios: [scenario] };
    const refusing = (load: Partial<ForeseenLoad> | undefined) => {
      const { plan, profile } = planned(own);
      return checkGuards(plan, profile, { makesLoad: true, confirmed: true }, load && { ...foreseen, ...load }).map(
        ({ message }) => message,
      );
    };

    test('are held against what k6 says of it', () => {
      expect(refusing({})).toEqual([]);
      expect(refusing({ vus: 101, durationMs: 700_000, iterationsPerSecond: 101 })).toEqual([
        'The load is 101 VUs; guards.maxVus allows 100 VUs.',
        'The load is 101 iterations/s; guards.maxRate allows 100 iterations/s.',
        'The load is 11m40s; guards.maxDuration allows 10m.',
      ]);
    });

    test('do not trust VUs that nothing slows down', () => {
      const { iterationsPerSecond: _none, ...unbounded } = foreseen;
      const { plan, profile } = planned(own);
      expect(checkGuards(plan, profile, { makesLoad: true, confirmed: true }, unbounded)).toEqual([
        {
          guard: 'cap',
          message: 'guards.maxRate allows 100 iterations/s, and nothing bounds the rate of 50 VUs.',
          fix: 'Bound it: workload.options: {minIterationDuration: 500ms}, workload.pacing or rate, or an arrival-rate executor in the script.',
        },
      ]);
    });

    test('say nothing as long as nobody knows it', () => {
      expect(refusing(undefined)).toEqual([]);
    });
  });

  test('want abort rules in production, and do not count those that nobody watches', () => {
    const { plan, profile } = planned(staging);
    const production = { ...profile, guards: { ...profile.guards, level: 'production' as const } };
    expect(checkGuards(plan, production, { makesLoad: true, confirmed: true }).map(({ message }) => message)).toEqual([
      'guards: production requires an abort rule.',
    ]);
    const ruled = (rule: string) =>
      refusals(`${staging.replace('{allow', '{level: production, allow')}abort: [{when: ${rule}, for: 30s}]\n`);
    expect(ruled('errors > 5%')).toEqual([]);
    expect(ruled('cpu > 95%').map(({ guard }) => guard)).toEqual(['abort']);
  });

  describe('of stores behind colours', () => {
    const colours = `target: {colours: {blue: http://localhost:1, green: http://localhost:2}, live: {command: ./which}}
workload: {script: k6.ts}
stores: {db: {kind: postgres, url: "postgres://localhost/x"}, idle: {kind: redis, url: "redis://localhost/0"}, cache: {kind: redis, url: "redis://localhost/0"}}
seed: {k: {key: "cache/k{n}", rows: 2, value: 1}}
`;
    const refusedFor = (text: string, makesLoad: boolean) => refusals(text, { makesLoad, confirmed: true }).map(({ fix }) => fix);

    test('want them accepted by name, on loopback too: all where load is made, else those that are touched', () => {
      expect(refusedFor(colours, true)).toEqual([
        'If the test may use what the live colour uses, set guards.sharedStores: [db, idle, cache]',
      ]);
      expect(refusedFor(colours, false)).toEqual(['If the test may use what the live colour uses, set guards.sharedStores: [db, cache]']);
      expect(refusals(colours)[0]?.guard).toBe('shared-store');
      expect(refusedFor(`${colours}guards: {sharedStores: [db, idle, cache]}\n`, true)).toEqual([]);
    });

    test('say nothing of a single target', () => {
      expect(refusedFor(colours.replace(/target: .*/, 'target: {url: http://localhost:1}'), true)).toEqual([]);
    });
  });

  test('want somebody to say that this environment is meant', () => {
    const { plan, profile } = planned(staging);
    expect(needsConfirmation(plan, profile)).toBe(true);
    const [refusal] = checkGuards(plan, profile, { makesLoad: true, confirmed: false });
    expect(refusal?.guard).toBe('confirm');
    expect(refusal?.fix).toContain(`LOADCTL_CONFIRM=${confirmationFor(plan)}`);
    const without = planned(staging.replace('{allow', '{confirm: false, allow'));
    expect(needsConfirmation(without.plan, without.profile)).toBe(false);
    const production = { ...without.profile, guards: { ...without.profile.guards, level: 'production' as const } };
    expect(needsConfirmation(without.plan, production)).toBe(true);
  });

  test('take a confirmation for this plan and no other', () => {
    const { plan } = planned(staging);
    expect(isConfirmation(confirmationFor(plan), plan)).toBe(true);
    expect(isConfirmation(`test@${plan.hash}`, plan)).toBe(true);
    for (const text of [undefined, '', 'test', 'test@', `test@${plan.hash.slice(0, 11)}`, `dev@${plan.hash}`, `test@${'0'.repeat(12)}`]) {
      expect(isConfirmation(text, plan), String(text)).toBe(false);
    }
  });
});

test('words whose part is not implemented are named, and rules that nothing watches warned of', () => {
  const { profile, plan } = planned(`target: {colours: {blue: http://localhost:1, green: http://localhost:2}, live: {command: ./which}}
workload: {script: k6.ts}
stores: {cache: {kind: redis, cluster: ["localhost:7000"]}}
runners: {backend: ssh, hosts: [localhost]}
abort: [{when: errors > 5%, for: 30s, after: 1m}, {when: cpu > 95%}]
`);
  expect(unbuiltWords(profile, { isBuilt: false }).map(({ word }) => word)).toEqual(['runners.backend: ssh']);
  expect(plan.warnings).toMatchObject([{ code: 'rule-not-watched', when: { name: 'cpu' } }]);
});
