import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { zipOf } from '../support/archives.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const script = `import http from 'k6/http';
import { Trend } from 'k6/metrics';
const plain = new Trend('plain');
export const options = { thresholds: { http_req_duration: ['p(95)<500', 'p(95)<600', 'p(95)>1'], plain: ['p(95)<9'] } };
export default () => { plain.add(5); http.get(__ENV.BASE_URL + '/work', { tags: { name: '::error::<b>|\\u001b[2J' } }); };
`;

const profile = (url: string) => `
target: {url: "${url}"}
workload: {script: ../script.js, vus: 2, duration: 2s}
runners: {count: 1}
sla: {p95: < 500ms}
`;

interface Runs {
  readonly place: Workplace;
  readonly earlier: readonly string[];
  readonly latest: string;
}

/** Three runs and a fourth one, all of a service that answers after 20 ms. */
async function fourRuns(): Promise<Runs> {
  const { url, delays } = await startTarget();
  delays.set('/work', 20);
  const place = workplace({ 'profiles/dev.yaml': profile(url), 'script.js': script });
  const ids: string[] = [];
  for (const _ of [1, 2, 3, 4]) ids.push(String(JSON.parse((await place.loadctl(['run', '--env', 'dev', '--json'])).stdout).run));
  return { place, earlier: ids.slice(0, 3), latest: ids[3] ?? '' };
}

/** A run as tar packs it, and as GitHub hands out an artifact of it. */
async function archivesOf(place: Workplace, run: string): Promise<string[]> {
  execFileSync('tar', ['czf', join(place.folder, 'run.tgz'), '-C', join(place.folder, '.loadctl/runs'), run]);
  const files = readdirSync(folderOf(place, run), { withFileTypes: true }).filter((one) => one.isFile());
  const entries = files.map(({ name }) => ({ name, content: readFileSync(join(folderOf(place, run), name)) }));
  writeFileSync(join(place.folder, 'artifact.zip'), zipOf(entries));
  return ['run.tgz', 'artifact.zip'];
}

const folderOf = (place: Workplace, run: string) => join(place.folder, '.loadctl/runs', run);

/** Writes a JSON file of a run anew; hands back what puts it as it was. */
function change(place: Workplace, run: string, name: string, how: (content: Record<string, unknown>) => void): () => void {
  const file = join(folderOf(place, run), name);
  const before = readFileSync(file, 'utf8');
  const content = JSON.parse(before);
  how(content);
  writeFileSync(file, JSON.stringify(content));
  return () => writeFileSync(file, before);
}

const fields = (content: Record<string, unknown>, ...path: string[]) =>
  path.reduce((at, name) => at[name] as Record<string, unknown>, content);

test('what is odd in runs, and in what they are compared with, is said; nothing is judged from it', { timeout: 120_000 }, async () => {
  const { place, earlier, latest } = await fourRuns();
  const compare = (...more: readonly string[]) => place.loadctl(['compare', latest, '--with', ...earlier, ...more]);

  const plain = JSON.parse((await compare('--json')).stdout);
  const gated = plain.changes.filter((one: { gated: boolean }) => one.gated);
  // One number has four limits: it is one number, and varies as one.
  expect(gated.map(({ name }: { name: string }) => name)).toEqual(['p95']);
  expect(gated[0].noise).toBeLessThan(1);
  expect(plain).toMatchObject({ uncompared: [{ name: 'plain p(95)', why: 'no-scale' }], passedOver: 0 });
  const shown = (await compare()).stdout;
  expect(shown).toContain('has a limit and is not compared: plain p(95).');
  expect(shown).not.toContain('\u001b[2J');
  expect(shown).not.toMatch(/^\s*::error/m);

  cpSync(folderOf(place, latest), join(place.folder, 'copy'), { recursive: true });
  cpSync(folderOf(place, earlier[0] ?? ''), join(place.folder, 'old-copy'), { recursive: true });
  const copies = await place.loadctl(['compare', latest, 'copy', '--with', ...earlier, 'old-copy', '--json']);
  expect(JSON.parse(copies.stdout)).toEqual(plain);
  expect(await compare('copy')).toMatchObject({ code: 2, stderr: expect.stringContaining(`Run ${latest} is on both sides`) });

  const bounds = { 'p(95)': ['x', 1] };
  const packed = await archivesOf(place, latest);
  for (const one of packed)
    expect(JSON.parse((await place.loadctl(['compare', one, '--with', ...earlier, '--json'])).stdout)).toEqual(plain);
  expect(await place.loadctl(['compare', latest, '--with', ...earlier, packed[0] ?? ''])).toMatchObject({ code: 2 });
  place.file('odd.zip', 'PK\u0003\u0004 and no more');
  const odd = await place.loadctl(['compare', 'odd.zip']);
  expect(odd).toMatchObject({ code: 115, stdout: '', stderr: expect.stringContaining('odd.zip is not an archive of a run') });

  const damages: [string, string, (content: Record<string, unknown>) => void][] = [
    ['run.json', 'workload is not a text', (run) => Object.assign(run, { workload: 5 })],
    ['run.json', 'startedAt is missing', (run) => delete run.startedAt],
    ['run.json', 'circumstances.target is not a text', (run) => Object.assign(fields(run, 'target'), { url: 5 })],
    ['run.json', 'plan.steady: to is missing', (run) => Object.assign(fields(run, 'plan'), { steady: { from: 0 } })],
    ['summary.json', 'bounds are not two numbers', (all) => Object.assign(fields(all, 'metrics', 'http_req_duration'), { bounds })],
    [
      'summary.json',
      'its value is not between its bounds',
      (all) => Object.assign(fields(all, 'metrics', 'http_req_duration', 'bounds'), { 'p(95)': [9e9, 0] }),
    ],
    ['summary.json', 'its value is not a share', (all) => Object.assign(fields(all, 'metrics', 'http_req_failed', 'values'), { rate: 7 })],
  ];
  for (const [file, why, how] of damages) {
    const mend = change(place, latest, file, how);
    expect(await compare(), why).toMatchObject({ code: 115, stdout: '', stderr: expect.stringContaining(why) });
    mend();
  }

  const unnote = change(place, latest, 'run.json', (run) => delete run.workload);
  const alone = await place.loadctl(['compare', latest]);
  expect(alone, alone.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('with nothing') });
  unnote();
});

test('a baseline of another load, of a limit that is new, and a run that is worse or has no result', { timeout: 120_000 }, async () => {
  const { place, earlier, latest } = await fourRuns();
  await place.loadctl(['compare', ...earlier, '--save', 'base.json']);

  const base = JSON.parse(place.read('base.json'));
  const spoil = (
    how: (run: {
      workload: string;
      circumstances: Record<string, string>;
      numbers: { name: string; value: number; low: number; high: number }[];
    }) => void,
  ) => {
    const content = structuredClone(base);
    content.runs.forEach(how);
    place.file('odd.json', JSON.stringify(content));
  };
  spoil((run) => {
    run.workload = 'other';
    run.circumstances.load = '9 VUs, 1m';
  });
  const other = await place.loadctl(['compare', latest, '--with', 'odd.json']);
  expect(other).toMatchObject({ code: 0, stdout: expect.stringContaining('3 runs there, and none of this load') });
  const anyway = await place.loadctl(['compare', latest, '--with', 'odd.json', '--anyway']);
  expect(anyway.stdout).toContain(`run ${latest} with 3 runs`);
  expect(anyway.stdout).toContain('differs: load: 9 VUs, 1m before, 2 VUs, 2s after');

  spoil((run) => {
    run.numbers = run.numbers.filter(({ name }) => name !== 'p95');
  });
  const without = await place.loadctl(['compare', latest, '--with', 'odd.json']);
  expect(without.stdout).toMatch(/^CANNOT TELL/);
  expect(without.stdout).toContain('not compared: p95: no earlier run has it.');

  spoil((run) => {
    run.numbers = run.numbers.map((one) => (one.name === 'errors' ? one : { ...one, value: 5, low: 5, high: 5 }));
  });
  const fast = place.read('odd.json');
  const worse = await place.loadctl(['compare', latest, '--with', 'odd.json', '--save', 'odd.json', '--fail-on-regression']);
  expect(worse, worse.stderr).toMatchObject({ code: 99, stdout: expect.stringContaining('odd.json is as it was') });
  expect(place.read('odd.json')).toBe(fast);
  const taken = await place.loadctl(['compare', latest, '--with', 'odd.json', '--save', 'odd.json']);
  expect(taken).toMatchObject({ code: 0, stdout: expect.stringContaining('odd.json holds 4 runs') });

  rmSync(join(folderOf(place, latest), 'summary.json'));
  const verified = await place.loadctl(['verify', latest, '--baseline', 'base.json', '--report-dir', 'reports']);
  expect(verified).toMatchObject({
    code: 111,
    stdout: expect.stringMatching(/^INVALID [\s\S]*Not compared with base.json: the result is invalid/),
  });
  expect(existsSync(join(place.folder, 'reports/summary.md'))).toBe(true);
});
