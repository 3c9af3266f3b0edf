import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Summary, SummaryMetric } from '../../src/metrics/summary.js';
import { k6 } from '../support/k6-run.js';
import { type Said, type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const script = fileURLToPath(new URL('../fixtures/repertoire/main.ts', import.meta.url));

/** What k6 hands to a handleSummary. */
interface Handed {
  readonly metrics: Readonly<Record<string, SummaryMetric>>;
  readonly root_group: unknown;
  readonly setup_data: unknown;
  readonly state: { readonly testRunDurationMs: number };
}

/** The same script once by one k6 of its own and once by a fleet of three. */
interface Both {
  readonly bare: { readonly code: number; readonly handed: Handed; readonly hits: Hits };
  readonly fleet: {
    readonly said: Said;
    readonly handed: Handed;
    readonly hits: Hits;
    readonly summary: Summary;
    readonly place: Workplace;
  };
}

type Hits = Readonly<Record<string, number>>;

async function runBoth(env: Readonly<Record<string, string>>): Promise<Both> {
  const target = await startTarget();
  target.statuses.set('/broken', 500).set('/sold-out', 409);
  const profile = { target: { url: target.url }, workload: { script, env }, runners: { count: 3 } };
  const place = workplace({ 'profiles/dev.yaml': JSON.stringify({ environment: 'dev', ...profile }) });
  const handed = () => JSON.parse(place.read('handed.json')) as Handed;

  const alone = await k6(['run', '--quiet', script], { HOME: place.folder, BASE_URL: target.url, ...env }, place.folder);
  const bare = { code: alone.code, handed: handed(), hits: ofScript(target.hits) };
  target.hits.clear();
  const said = await place.loadctl(['run', '--env', 'dev']);
  const summary = JSON.parse(readFileSync(join(place.latestRun(), 'summary.json'), 'utf8')) as Summary;
  return { bare, fleet: { said, handed: handed(), hits: ofScript(target.hits), summary, place } };
}

/** Without loadctl's own look whether the target is up. */
function ofScript(hits: ReadonlyMap<string, number>): Hits {
  return Object.fromEntries([...hits].filter(([request]) => request !== 'GET /'));
}

/** How many VUs are busy at a full second is a matter of the moment. */
const ofTheMoment = ['vus'];

/** What k6 counts of fixed work, and what does not depend on how long anything took. */
function counts(metrics: Handed['metrics']): Record<string, unknown> {
  const told = Object.entries(metrics).filter(([key]) => !ofTheMoment.includes(key) && key !== 'vus_max' && !key.includes('part:'));
  return Object.fromEntries(told.map(([key, metric]) => [key, { type: metric.type, contains: metric.contains, ...countsOf(key, metric) }]));
}

/** Trends whose values the script makes up. */
const madeUp = /^(amount|think_time)/;

function countsOf(key: string, { type, values }: SummaryMetric): Record<string, number | undefined> {
  const pick = (...stats: string[]) => Object.fromEntries(stats.map((stat) => [stat, values[stat]]));
  switch (type) {
    case 'counter':
      return pick('count');
    case 'rate':
      return pick('rate', 'passes', 'fails');
    case 'gauge':
      return pick('min', 'max');
    case 'trend':
      return madeUp.test(key) ? pick('count', 'min', 'avg', 'max') : pick('count');
  }
}

test('fixed work: a fleet of three counts what one k6 counts, metric by metric', async () => {
  const { bare, fleet } = await runBoth({ LOAD: 'fixed' });

  expect(fleet.said, fleet.said.stderr).toMatchObject({ code: bare.code });
  expect(fleet.hits).toEqual(bare.hits);
  expect(fleet.hits).toMatchObject({ 'GET /opened': 1, 'GET /closed': 1, 'POST /orders': 24, 'POST /sold-out': 7, 'GET /broken': 20 });
  expect(counts(fleet.summary.metrics)).toEqual(counts(bare.handed.metrics));
  expect(counts(fleet.handed.metrics)).toEqual(counts(bare.handed.metrics));
  expect(fleet.summary.rootGroup).toEqual(bare.handed.root_group);
  expect(fleet.handed.root_group).toEqual(bare.handed.root_group);
  expect(Object.keys(counts(fleet.summary.metrics))).toEqual(
    expect.arrayContaining(['orders{shelf:atlases}', 'checks{team:checkout,journey:pay}', 'group_duration{group:::shop::basket}']),
  );
  for (const [key, { bounds }] of Object.entries(fleet.summary.metrics).filter(([name]) => madeUp.test(name))) {
    for (const stat of ['med', 'p(90)', 'p(99)']) {
      const truth = bare.handed.metrics[key]?.values[stat];
      expect(truth, `${key} ${stat}`).toBeGreaterThanOrEqual(bounds[stat]?.[0] ?? Number.NaN);
      expect(truth, `${key} ${stat}`).toBeLessThanOrEqual(bounds[stat]?.[1] ?? Number.NaN);
    }
  }
});

test('what setup() returns and what the script is made of stay out of the stored numbers', async () => {
  const { fleet } = await runBoth({ LOAD: 'fixed' });

  const run = fleet.place.latestRun();
  const stored = readdirSync(run, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(json|ndjson)$/.test(name));
  const texts = stored.map((name) => [name, readFileSync(join(run, name), 'utf8')] as const);
  expect(fleet.handed.setup_data).toEqual({ token: 'marked-setup-data' });
  expect(stored).toEqual(expect.arrayContaining(['summary.json', 'runners/1/summary.json', 'runners/3/facts.json', 'timeseries.ndjson']));
  expect(texts.filter(([, text]) => /marked-setup-data|SharedArray|expectedStatuses/.test(text)).map(([name]) => name)).toEqual([]);
});

test('work for a time: every executor makes the load that one k6 makes', async () => {
  const { bare, fleet } = await runBoth({ LOAD: 'timed' });
  const iterations = ({ metrics }: Pick<Handed, 'metrics'>, scenario: string) =>
    metrics[`iterations{scenario:${scenario}}`]?.values.count ?? Number.NaN;

  expect(fleet.said, fleet.said.stderr).toMatchObject({ code: 0 });
  const arrivals = ['arrivals', 'wave'].map((name) => [name, iterations(bare.handed, name), 3] as const);
  const paced = ['constant', 'ramping'].map((name) => [name, iterations(bare.handed, name), 0.15 * iterations(bare.handed, name)] as const);
  for (const [scenario, expected, within] of [...arrivals, ...paced]) {
    expect(expected, scenario).toBeGreaterThan(40);
    expect(Math.abs(iterations(fleet.summary, scenario) - expected), `${scenario}: ${expected} by one k6`).toBeLessThanOrEqual(within);
  }
  for (const { metrics } of [bare.handed, fleet.summary]) {
    expect([iterations({ metrics }, 'patient'), iterations({ metrics }, 'impatient')]).toEqual([3, 0]);
  }
  expect(fleet.summary.metrics.vus_max?.values.max).toBe(bare.handed.metrics.vus_max?.values.max);
  expect(Math.abs(fleet.summary.durationMs - bare.handed.state.testRunDurationMs)).toBeLessThan(1000);
});

test('test.abort() in one iteration ends all three, as it ends one k6', async () => {
  const { bare, fleet } = await runBoth({ LOAD: 'fixed', ABORT_AT: '12' });

  expect([bare.code, fleet.said.code]).toEqual([108, 108]);
  expect(fleet.hits).toMatchObject({ 'GET /opened': 1, 'GET /closed': 1 });
  expect(fleet.said.stdout).toContain('test.abort()');
});

test('an executor that this k6 does not have: 104, in k6’s own words, and nothing is run', async () => {
  const target = await startTarget();
  const scenario = `{ executor: 'externally-controlled', vus: 3, maxVUs: 6, duration: '3s' }`;
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js}\nrunners: {count: 3}\n`,
    'script.js': `export const options = { scenarios: { moved: ${scenario} } };\nexport default () => {};`,
  });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.code).toBe(104);
  expect(said.stderr).toContain("unknown executor type 'externally-controlled'");
  expect(() => place.latestRun()).toThrow();
});
