import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { HistogramLine } from '../../src/metrics/histogram-lines.js';
import { jsonDocuments } from '../../src/reporters/schemas/index.js';
import { page } from '../../src/reports/page/index.js';
import type { Course } from '../../src/reports/result/course.js';
import { workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';
import { injections } from '../unit/injections.js';
import { madeUpCourse } from '../unit/report-courses.js';
import { broken, resultOf } from '../unit/report-results.js';
import { look } from './browser.js';

const names = [
  'GET /events',
  'اسم عربي',
  '中文端点',
  '👩‍👩‍👧‍👦 🇪🇺',
  '<script>window.marked = 1</script>',
  '"><img src=x onerror="window.marked = 1">',
];
const script = `
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Trend, Counter } from 'k6/metrics';
const names = ${JSON.stringify(names)};
const mine = new Trend('checkout_time', true);
const sold = new Counter('sold');
export default function () {
  for (const name of names) {
    const answer = http.get(__ENV.BASE_URL + (name === names[1] ? '/missing' : '/'), { tags: { name } });
    group('shop', () => check(answer, { [name]: ({ status }) => status === 200 }));
  }
  mine.add(12.5);
  sold.add(2);
  sleep(0.3);
}
`;

const profile = (url: string) => `target: {url: "${url}"}
workload: {script: ../script.js, vus: 4, duration: 5s}
runners: {count: 2}
sla:
  p95: < 10s
  errors: < 1%
  throughput: 1/s
`;

async function ranFleet(args: readonly string[] = [], env: Record<string, string> = {}) {
  const target = await startTarget();
  target.statuses.set('/missing', 503);
  const place = workplace({ 'profiles/dev.yaml': profile(target.url), 'script.js': script });
  const said = await place.loadctl(['run', '--env', 'dev', ...args], env);
  return { place, said, run: place.latestRun() };
}

/** Every number of a JSON file but versions of its form. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === 'version' ? [] : numbersIn(inner)));
}

const linesOf = <T>(file: string): T[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

test('a real fleet: every number is on the page, with scripts and without; nothing is asked for, nothing runs, axe-core is content', async () => {
  const { place, said, run } = await ranFleet(['--report-dir', 'out'], {
    GITHUB_ACTIONS: 'true',
    GITHUB_STEP_SUMMARY: 'steps.md',
  });
  expect([said.code, said.stderr]).toEqual([99, expect.stringContaining('the SLA was not met')]);
  const file = join(place.folder, 'out', 'report.html');
  expect(readFileSync(join(run, 'report.html'), 'utf8')).toBe(readFileSync(file, 'utf8'));

  const light = await look(file, { colorScheme: 'light' });
  const dark = await look(file, { colorScheme: 'dark' });
  const phone = await look(file, { viewport: { width: 360, height: 740 } });
  const bare = await look(file, { javaScriptEnabled: false });
  const views = [light, dark, phone, bare];
  expect(views.map(({ requests }) => requests.length)).toEqual([1, 1, 1, 1]);
  expect(views.flatMap(({ complaints }) => complaints)).toEqual([]);
  expect(views.flatMap(({ violations }) => violations)).toEqual([]);
  expect(views.map(({ marked, overflow }) => [marked, overflow])).toEqual(views.map(() => [false, 0]));

  const histograms = linesOf<HistogramLine>(join(run, 'histograms.ndjson'));
  const { metrics } = Object(readJson(join(run, 'summary.json')));
  const counted = (of: (line: HistogramLine) => number) => histograms.reduce((sum, line) => sum + of(line), 0);
  expect(counted(({ all }) => all.count)).toBe(metrics.http_reqs.values.count);
  expect(counted(({ all, expected = all }) => expected.count)).toBe(metrics.http_req_failed.values.fails);
  expect(counted(({ endpoints }) => Object.values(endpoints).reduce((sum, { all }) => sum + all.count, 0))).toBe(
    metrics.http_reqs.values.count,
  );

  const { exitCode: _, exitCodes: __, ...verdict } = Object(readJson(join(run, 'verdict.json')));
  const numbers = [...numbersIn(readJson(join(run, 'summary.json'))), ...numbersIn(verdict)];
  expect(numbers.length).toBeGreaterThan(500);
  for (const { numbers: shown, text } of views) {
    expect(numbers.filter((number) => (shown.get(number) ?? '') === '')).toEqual([]);
    expect(names.filter((name) => !text.includes(name))).toEqual([]);
    expect(text).toContain('exit 99');
  }
  const limits = readFileSync(join(place.folder, 'profiles/dev.yaml'), 'utf8').split('\n');
  const line = limits.findIndex((text) => text.includes('errors')) + 1;
  expect(said.stdout).toMatch(
    new RegExp(`^::error file=profiles/dev\\.yaml,line=${line},title=loadctl dev%3A FAIL::errors < 1%25: 16\\.67%25`, 'm'),
  );
  expect(said.stdout.match(/^::/gm)).toHaveLength(1);
  expect(place.read('steps.md').trim()).toBe(place.read('out/summary.md').trim());
  expect(place.read('out/junit.xml')).toContain(`limit: profiles/dev.yaml:${line}</failure>`);
  expect(Object(readJson(join(place.folder, 'out/k6-summary.json'))).metrics.http_reqs.rate).toBeGreaterThan(1);
});

test('report writes the same page from the directory alone; verify writes the files', async () => {
  const { place, run, said } = await ranFleet(['--set', 'sla.errors=null', '--json']);
  const shown = JSON.parse(said.stdout);
  expect(jsonDocuments.run.safeParse(shown).error).toBeUndefined();
  expect(shown.limits).toEqual([
    { operator: '<', value: 10_000, unit: 'ms', expression: '< 10,000 ms' },
    { operator: '>=', value: 1, unit: '/s', expression: '>= 1/s' },
  ]);
  const { metrics } = Object(readJson(join(run, 'summary.json')));
  expect([shown.measured.all.requests, shown.measured.endpoints.length]).toEqual([metrics.http_reqs.values.count, names.length]);
  const first = readFileSync(join(run, 'report.html'), 'utf8');
  expect(await place.loadctl(['report', '--out', 'mine.html'])).toMatchObject({ code: 0, stdout: 'mine.html\n' });
  expect(place.read('mine.html')).toBe(first);
  mkdirSync(join(place.folder, 'out'));
  writeFileSync(join(place.folder, 'out', 'k6-summary.json'), 'of an earlier run');
  expect((await place.loadctl(['verify', run, '--report-dir', 'out'])).code).toBe(0);
  expect(place.read('out/report.html')).toBe(first);
  expect(place.read('out/k6-summary.json')).toContain('http_reqs');
});

test('a target that is down leaves a report of that, and nothing of an earlier run', async () => {
  const place = workplace({ 'profiles/dev.yaml': profile('http://127.0.0.1:9'), 'script.js': script });
  mkdirSync(join(place.folder, 'out'));
  writeFileSync(join(place.folder, 'out', 'k6-summary.json'), 'of an earlier run');
  const said = await place.loadctl(['run', '--env', 'dev', '--report-dir', 'out', '--json']);
  expect(said.code).toBe(115);
  expect(jsonDocuments.run.safeParse(JSON.parse(said.stdout)).error).toBeUndefined();
  expect(place.read('out/junit.xml')).toMatch(/errors="1"/);
  expect(() => place.read('out/k6-summary.json')).toThrow('ENOENT');
  const seen = await look(join(place.folder, 'out', 'report.html'));
  expect([seen.violations, seen.text]).toEqual([[], expect.stringContaining('exit 115')]);
});

const small = [
  ['one request', `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL); };\n`],
  ['no request', `export default () => {};\n`],
] as const;

test('a run of one request, of none, and one that is interrupted after 2 s have whole pages', async () => {
  const target = await startTarget();
  const ran = await Promise.all(
    small.map(async ([what, text]) => {
      const options = `workload: {script: ../script.js, options: {scenarios: {one: {executor: shared-iterations, iterations: 1, vus: 1}}}}`;
      const own = `target: {url: "${target.url}"}\n${options}\nsla: {p95: < 10s}\n`;
      const place = workplace({ 'profiles/dev.yaml': own, 'script.js': text });
      const { code } = await place.loadctl(['run', '--env', 'dev']);
      return { what, code, file: join(place.latestRun(), 'report.html') };
    }),
  );
  const place = workplace({ 'profiles/dev.yaml': profile(target.url).replace('5s', '60s'), 'script.js': script });
  const run = place.start(['run', '--env', 'dev']);
  await run.until('the load begins');
  const seconds = join(place.latestRun(), 'timeseries.ndjson');
  await vi.waitUntil(() => existsSync(seconds) && readFileSync(seconds, 'utf8').split('\n').length > 2, { timeout: 60_000 });
  run.process.kill('SIGINT');
  const { code } = await run.said;
  for (const { what, file, ...one } of [...ran, { what: 'interrupted', code, file: join(place.latestRun(), 'report.html') }]) {
    const seen = await look(file);
    expect.soft([what, seen.violations, seen.complaints, seen.requests.length]).toEqual([what, [], [], 1]);
    expect.soft(seen.text, what).toContain(`exit ${one.code}`);
  }
  expect(ran.map(({ code: status }) => status)).toEqual([0, 99]);
  expect(code).toBe(105);
});

test('what hosts and scripts say does nothing in a browser', async () => {
  const place = workplace();
  const all = injections.join(' ');
  const { judged, ...rest } = resultOf({ reasons: [all], criteria: [{ ...broken, name: all, window: all, limit: all }] }, all);
  if (judged === undefined) throw new Error('a result without a run');
  const record = { ...judged.record, ciLink: all, environment: all, profile: { all } };
  const made = madeUpCourse({ seconds: 60, names: injections });
  const marks = [{ kind: 'breach', from: 10_000, to: 20_000, text: all } as const];
  const course: Course = { ...made, marks, story: [{ t: 0, text: all, isWarning: true }] };
  const seen = await look(place.file('page.html', page({ ...rest, environment: all, judged: { ...judged, record }, course })));
  expect(seen).toMatchObject({ marked: false, complaints: [], violations: [], requests: [expect.stringContaining('page.html')] });
});
