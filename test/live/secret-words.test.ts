import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { redactData } from '../../src/core/redact-data.js';
import { openRedactor } from '../../src/core/redactor.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const script = `import http from 'k6/http';
import { check, group } from 'k6';
import { Counter } from 'k6/metrics';
const words = Object.keys(__ENV).filter((name) => name.startsWith('PASSWORD')).sort().map((name) => __ENV[name]);
const said = new Counter('words_said');
export const options = { thresholds: { words_said: ['count>0'], 'http_reqs{name:GET /work}': ['count>0'] } };
export default function () {
  const answer = http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } });
  http.get(__ENV.BASE_URL + '/pin/' + (__ENV.PASSWORD_PIN || 0));
  group('all', () => check(answer, { 'is up': (a) => a.status === 200 }));
  said.add(1);
  console.log('said: ' + words.join(' '));
}
`;

const profile = (url: string) =>
  `target: {url: "${url}"}\nworkload: {script: ../script.js, vus: 2, duration: 2s, pacing: 100ms}\nrunners: {count: 2}\nsla: {errors: < 1%, p95: < 5s}\n`;

const whole = ['run.json', 'summary.json', 'verdict.json'];
const lines = ['events.ndjson', 'timeseries.ndjson', 'generators.ndjson'];
const textOf = (folder: string, name: string) => readFileSync(join(folder, name), 'utf8');
const dataOf = (folder: string, name: string): unknown[] =>
  (whole.includes(name) ? [textOf(folder, name)] : textOf(folder, name).split('\n')).flatMap((text) =>
    text === '' ? [] : [JSON.parse(text)],
  );

/** Every key and every value of one word, but for numbers and the shortest. */
function wordsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^[\w-]{4,}$/.test(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(wordsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [...wordsIn(key), ...wordsIn(inner)]);
}

async function ranWith(place: Workplace, words: Record<string, string>): Promise<string> {
  const typed = Object.entries(words).flatMap(([name, word]) => ['-e', `${name}=${word}`]);
  const said = await place.loadctl(['run', '--env', 'dev', '--json', ...typed]);
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(said.stdout)).toMatchObject({ verdict: 'pass' });
  return place.latestRun();
}

test('secrets that are spelled like words of loadctl and k6 leave every file whole, and are in no log', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': profile(target.url), 'script.js': script });
  const plain = await ranWith(place, { PASSWORD_0: 'a-plain-one' });
  const common = [
    'pass',
    'value',
    'load',
    'count',
    'steady',
    'throughput',
    'iterations',
    'interrupted',
    'http_reqs',
    'thresholds',
    'local',
  ];
  const run = await ranWith(place, {
    ...Object.fromEntries(common.map((word, index) => [`PASSWORD_${index}`, word])),
    PASSWORD_PIN: '471147',
    PASSWORD_SHORT: '15',
  });
  expect(JSON.parse((await place.loadctl(['runs', '--json'])).stdout).runs).toMatchObject([{ state: 'passed' }, { state: 'passed' }]);
  expect((await place.loadctl(['verify', run, '--json'])).code).toBe(0);

  const keys = (folder: string, name: string) => new Set(JSON.stringify(dataOf(folder, name)).match(/"[^"]+"(?=:)/g));
  for (const name of whole) {
    const ownVariables = /"PASSWORD_|pin/;
    expect([...keys(run, name)].filter((key) => !ownVariables.test(key))).toEqual(
      [...keys(plain, name)].filter((key) => !ownVariables.test(key)),
    );
  }
  const log = textOf(run, 'runners/1/log');
  expect(log).toContain(`said: ${'[redacted] '.repeat(common.length)}[redacted] 15`);
  const names = [textOf(run, 'summary.json'), textOf(run, 'timeseries.ndjson'), textOf(run, 'runners/1/summary.json')].join('');
  expect(names).toContain('/pin/[redacted]');
  expect(names).not.toContain('/pin/471147');
});

test('were every word of a run a secret, the run would still be judged as it was', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': profile(target.url), 'script.js': script });
  const run = await ranWith(place, {});
  const files = [...whole, ...lines];
  const words = new Set(files.flatMap((name) => wordsIn(dataOf(run, name))));
  for (const word of ['metrics', 'counter', 'phase-finished', 'http_req_duration', 'criteria', 'postgres', 'whole'])
    expect([...words, 'postgres', 'whole']).toContain(word);

  const folder = mkdtempSync(join(tmpdir(), 'loadctl-words-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(run, folder, { recursive: true });
  const redactor = openRedactor(...words);
  for (const name of files) {
    const clean = dataOf(run, name).map((data) => JSON.stringify(redactData(data, redactor)));
    writeFileSync(join(folder, name), `${clean.join('\n')}\n`);
  }

  const before = JSON.parse((await place.loadctl(['verify', run, '--json'])).stdout);
  const said = await place.loadctl(['verify', folder, '--json']);
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  const after = JSON.parse(said.stdout);
  const judged = (verdict: typeof before) =>
    verdict.criteria.map(({ outcome, actual, limit, unit }: Record<string, unknown>) => [outcome, actual, limit, unit]);
  expect([said.code, after.verdict, after.run, judged(after)]).toEqual([0, 'pass', before.run, judged(before)]);
  expect(textOf(folder, 'events.ndjson')).toContain('[redacted]');
});

test('two services whose places are secrets are two endpoints; those that are hosts, or literals, are shown', async () => {
  const target = await startTarget();
  const env = (name: string, value: string) => `${name}: ${JSON.stringify(value)}`;
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}
workload:
  script: ../script.js
  env: {${[env('FE_URL', '${FE}'), env('BE_URL', '${BE}'), env('HOST_URL', '${HOST}'), env('LITERAL_URL', `${target.url}/literal`), 'RATE: 40'].join(', ')}}
runners: {count: 2}
`,
    'script.js': `import http from 'k6/http';
export const options = { vus: 2, iterations: 4 };
export default () => { for (const name of ['FE_URL', 'BE_URL', 'HOST_URL', 'LITERAL_URL']) http.get(__ENV[name] + '/status'); };`,
  });
  const given = { FE: `${target.url}/frontToken12`, BE: `${target.url}/backToken34`, HOST: target.url };
  const said = await place.loadctl(['run', '--env', 'dev', '-e', 'FEATURE=on', '-e', 'SHOP_TOKEN=s3cretShop'], given);

  expect(said.code, said.stderr).toBe(0);
  const { metrics } = JSON.parse(textOf(place.latestRun(), 'summary.json'));
  const counted = (name: string) => metrics[`http_reqs{name:${name}}`]?.values.count;
  expect([counted('[redacted]/status'), counted('[redacted 2]/status')]).toEqual([4, 4]);
  expect([counted(`${target.url}/status`), counted(`${target.url}/literal/status`)]).toEqual([4, 4]);
  for (const row of ['[redacted]/status', '[redacted 2]/status', `${target.url}/literal/status`]) expect(said.stdout).toContain(row);
  const record = JSON.parse(textOf(place.latestRun(), 'run.json'));
  const shown = { FE_URL: '[redacted]', BE_URL: '[redacted]', HOST_URL: target.url, LITERAL_URL: `${target.url}/literal`, RATE: '40' };
  const typed = { FEATURE: 'on', SHOP_TOKEN: '[redacted]' };
  expect(record.profile.workload.env).toEqual({ ...shown, ...typed });
  expect(record.plan.env).toEqual({ ...shown, ...typed });
  expect(record.overrides).toEqual([
    { path: 'workload.env.FEATURE', value: 'on' },
    { path: 'workload.env.SHOP_TOKEN', value: '[redacted]' },
  ]);
  const all = ['run.json', 'summary.json', 'events.ndjson', 'runners/1/summary.json', 'timeseries.ndjson'].map((name) =>
    textOf(place.latestRun(), name),
  );
  for (const text of [...all, said.stdout, said.stderr]) expect(text).not.toMatch(/frontToken12|backToken34|s3cretShop/);
});
