import { describe, expect, test } from 'vitest';
import { effectiveOptions, incompleteScenarios, type LaidOver, ownLoad } from '../../src/k6/effective-options.js';

const lay = (own: Record<string, unknown>, over: Partial<LaidOver> = {}) =>
  effectiveOptions(own, { options: {}, load: {}, loadByVariables: false, ...over });

const browse = { executor: 'constant-vus', vus: 10, duration: '1m' };
const buy = { executor: 'constant-arrival-rate', rate: '30', duration: '1m', preAllocatedVUs: 4, maxVUs: 8 };

describe('what a plan lays over the options of a script', () => {
  test.each<[name: string, own: Record<string, unknown>, over: Partial<LaidOver>, made: Record<string, unknown>]>([
    ['nothing', { vus: 3, iterations: 6, tags: { a: 'b' } }, {}, { vus: 3, iterations: 6, tags: { a: 'b' } }],
    ['an option in another case', { RPS: '20', Vus: 3 }, { options: { rps: 10 } }, { Vus: 3, rps: 10 }],
    [
      'the load of the profile',
      { vus: 1, noCookiesReset: true },
      { load: { vus: 5, duration: '1m' } },
      { noCookiesReset: true, vus: 5, duration: '1m' },
    ],
    ['a load as a scenario', { Vus: 1, duration: '1s' }, { load: { scenarios: { default: browse } } }, { scenarios: { default: browse } }],
    [
      'a scenario by its name',
      { scenarios: { browse, buy } },
      { options: { scenarios: { browse: { VUs: 3 } } } },
      { scenarios: { browse: { executor: 'constant-vus', VUs: 3, duration: '1m' }, buy } },
    ],
    ['no scenario that null removes', { scenarios: { browse, buy } }, { options: { scenarios: { browse: null } } }, { scenarios: { buy } }],
    ['scenarios over shortcuts', { vus: 3, duration: '1s' }, { options: { scenarios: { buy } } }, { scenarios: { buy } }],
    ['iterations over scenarios, as in k6', { scenarios: { browse } }, { options: { iterations: 5 } }, { iterations: 5, vus: 1 }],
    ['one VU, as k6 run has it', { iterations: 10 }, {}, { iterations: 10, vus: 1 }],
    ['one VU for a duration', { Duration: '2s' }, {}, { Duration: '2s', vus: 1 }],
    ['no VU beside scenarios', { scenarios: { browse } }, {}, { scenarios: { browse } }],
    ['no VU for stages', { stages: [{ duration: '1s', target: 3 }] }, {}, { stages: [{ duration: '1s', target: 3 }] }],
    ['one VU where a variable says how long', {}, { loadByVariables: true }, { vus: 1 }],
  ])('%s', (_, own, over, made) => {
    expect(lay(own, over)).toEqual(made);
  });

  test('a part of its own VUs and rates, at least 1 of each', () => {
    const stages = [
      { duration: '1s', target: 40 },
      { duration: '1s', target: 0 },
    ];
    const ramp = { executor: 'ramping-vus', startVUs: 0, stages };
    expect(lay({ scenarios: { browse, buy, ramp }, rps: 100 }, { scale: 0.1 })).toEqual({
      scenarios: {
        browse: { ...browse, vus: 1 },
        buy: { ...buy, rate: 3, preAllocatedVUs: 1, maxVUs: 1 },
        ramp: {
          ...ramp,
          stages: [
            { duration: '1s', target: 4 },
            { duration: '1s', target: 0 },
          ],
        },
      },
      rps: 100,
    });
    expect(lay({ VUs: '20', duration: '1s' }, { scale: 0.5 })).toEqual({ VUs: 10, duration: '1s' });
    expect(lay({ stages }, { scale: 0.5 })).toEqual({
      stages: [
        { duration: '1s', target: 20 },
        { duration: '1s', target: 0 },
      ],
    });
  });

  test('what the profile itself says is not scaled', () => {
    const made = lay({ scenarios: { browse } }, { scale: 0.5, options: { scenarios: { browse: { vus: 7 } } } });
    expect(made).toEqual({ scenarios: { browse: { ...browse, vus: 7 } } });
  });
});

test('a scenario that nobody gave an executor is not whole', () => {
  expect(
    incompleteScenarios(lay({ scenarios: { browse } }, { options: { Scenarios: { browse: { vus: 1 }, other: { vus: 1 } } } })),
  ).toEqual(['other']);
});

test('a load of the script is known in any case', () => {
  expect([ownLoad({ Scenarios: { browse } }), ownLoad({ vus: 3, duration: '1s' }), ownLoad({ ITERATIONS: '3', stages: null })]).toEqual([
    ['scenarios'],
    [],
    ['iterations'],
  ]);
});
