import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requestsTo, startColours } from '../support/colours.js';
import { type Workplace, workplace } from '../support/loadctl.js';

const script = `import http from 'k6/http';
import { sleep } from 'k6';
export function setup() { http.get(__ENV.BASE_URL + '/setup'); }
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }`;

const load = (duration: string) =>
  `workload: {script: ../script.js, vus: 4, duration: ${duration}}\nrunners: {count: 2}\nsla: {errors: < 1%, availability: 50%}\n`;

const place = (target: string, duration = '60s') => workplace({ 'profiles/prod.yaml': target + load(duration), 'script.js': script });

interface Logged {
  readonly type: string;
  readonly [word: string]: unknown;
}

const json = (at: Workplace, name: string) => JSON.parse(readFileSync(join(at.latestRun(), name), 'utf8')) as Record<string, unknown>;
const events = (at: Workplace) =>
  readFileSync(join(at.latestRun(), 'events.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Logged);

describe('the colour that is not live', () => {
  test('is the one that is loaded, probed and written down; the live one gets nothing', async () => {
    const colours = await startColours();
    const at = place(colours.words(), '3s');

    const said = await at.loadctl(['run', '--env', 'prod']);

    expect(said, said.stderr).toMatchObject({ code: 0 });
    expect(requestsTo(colours.blue)).toBe(0);
    expect(colours.green.hits.get('GET /work')).toBeGreaterThan(20);
    expect([colours.green.hits.get('GET /setup'), colours.green.hits.get('GET /torn-down')]).toEqual([1, 1]);
    expect(colours.green.hits.get('GET /healthz')).toBeGreaterThanOrEqual(3);
    expect(said.stderr).toContain(`run prod: 2 runners (local) → green, ${colours.green.url} (blue is live)`);
    expect(json(at, 'run.json').target).toEqual({
      url: colours.green.url,
      health: `${colours.green.url}/healthz`,
      colour: { loaded: 'green', live: 'blue', liveUrl: colours.blue.url },
    });
    expect(events(at)).toContainEqual({
      type: 'live-colour-found',
      at: expect.any(Number),
      live: 'blue',
      loaded: 'green',
      url: colours.green.url,
    });
    const { criteria } = json(at, 'verdict.json') as { criteria: { name: string; outcome: string }[] };
    expect(criteria.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['errors', 'pass'],
      ['availability', 'pass'],
    ]);
    expect(colours.askedBy.slice(0, 2)).toEqual(['loadctl/guard', expect.stringMatching(/^loadctl\/\d{8}-\d{6}-\w{5}$/)]);
    expect(requestsTo(colours.router)).toBeGreaterThan(10);
  });
});
