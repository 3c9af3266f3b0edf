import { expect, test } from 'vitest';
import { shapeOf } from '../../src/phases/run/test-shape.js';
import { withSecrets } from '../../src/plan/access.js';
import { least, load, planHere } from './profile-files.js';

test.each(['http_reqs{ name:"home" }', "http_reqs{name:'home'}", 'http_reqs{name: home}', 'http_reqs{name:home}'])(
  'a sub-metric that the script spells %s is asked for in that spelling alone: k6 calls it by either, by chance',
  (spelled) => {
    const plan = planHere(load({ 'test.yaml': least }));
    const scenarios = { all: { executor: 'constant-vus', vus: 1, duration: '1s' } };
    const options = { scenarios, thresholds: { [spelled]: ['count == 4'] } };
    const inspection = { options, maxVus: 1, functions: ['default'], counters: [], complaints: [] };
    const { thresholds } = shapeOf(withSecrets(plan, { secrets: [] }), inspection);
    expect(Object.entries(thresholds).filter(([key]) => key.startsWith('http_reqs'))).toEqual([[spelled, ['count == 4']]]);
    expect(thresholds).toHaveProperty('http_req_duration{name:home}');
  },
);
