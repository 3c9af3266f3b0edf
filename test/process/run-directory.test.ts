import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';

const run = '20260102-030405-abcde';
const record = {
  version: 1,
  run,
  environment: 'dev',
  startedAt: 1_767_323_045_000,
  plan: {
    environment: 'dev',
    target: { url: 'http://127.0.0.1:1' },
    criteria: [
      {
        name: 'p95',
        source: 'client',
        metric: 'http_req_duration',
        stat: 'p(95)',
        operator: '<',
        limit: 500,
        unit: 'ms',
        window: 'steady',
      },
    ],
    runners: [],
    endpoints: [],
  },
  scriptThresholds: {},
  by: { user: 'ann', host: 'elsewhere', pid: 4_000_000 },
};

function withRun(files: Record<string, unknown>): Workplace {
  const text = (content: unknown) => (typeof content === 'string' ? content : JSON.stringify(content));
  return workplace(Object.fromEntries(Object.entries(files).map(([name, content]) => [`.loadctl/runs/${run}/${name}`, text(content)])));
}

test('verify without a run says how to make one', async () => {
  const said = await workplace().loadctl(['verify']);
  expect(said.code).toBe(115);
  expect(said.stderr).toContain('There is no run here yet');
  expect(said.stderr).toContain('loadctl run --env dev');
});

test('verify of a run that nobody knows names those that are there', async () => {
  const said = await withRun({ 'run.json': record }).loadctl(['verify', 'nothing']);
  expect(said.code).toBe(115);
  expect(said.stderr).toContain(run);
});

test('a run whose loadctl was killed is interrupted, and nothing of it passes', async () => {
  const events = `${JSON.stringify({ at: 1, type: 'fleet-released', runners: 2 })}\n{"at":2,"type":"fleet-sam`;
  const said = await withRun({ 'run.json': record, 'events.ndjson': events }).loadctl(['verify', '--json']);
  expect(said.code).toBe(105);
  const verdict = JSON.parse(said.stdout) as { verdict: string; reasons: string[]; criteria: { outcome: string }[] };
  expect(verdict.verdict).toBe('interrupted');
  expect(verdict.reasons[0]).toContain('killed or crashed');
  expect(verdict.criteria.map(({ outcome }) => outcome)).toEqual(['no-data']);
});

test('a run that still goes on is not judged', async () => {
  const host = execFileSync('hostname', { encoding: 'utf8' }).trim();
  const said = await withRun({ 'run.json': { ...record, by: { user: 'ann', host, pid: process.pid } }, 'events.ndjson': '' }).loadctl([
    'verify',
  ]);
  expect(said.code).toBe(115);
  expect(said.stderr).toContain('still running');
});

test.each([
  ['run.json is no JSON', { 'run.json': '{"version": 1,' }, 'run.json'],
  ['run.json is missing', { 'events.ndjson': '' }, 'run.json is missing'],
  ['run.json is of another version', { 'run.json': { ...record, version: 99 } }, 'version 99'],
  ['run.json lacks its plan', { 'run.json': { version: 1, run } }, 'run.json'],
  ['summary.json is no JSON', { 'run.json': record, 'summary.json': '' }, 'summary.json'],
  ['summary.json is something else', { 'run.json': record, 'summary.json': '[1, 2]' }, 'summary.json'],
  [
    'an event in the middle is broken',
    { 'run.json': record, 'events.ndjson': '{"at":1\n{"at":2,"type":"noted","message":"x"}\n' },
    'events.ndjson:1',
  ],
])('a damaged directory is said to be one: %s', async (_, files, says) => {
  const said = await withRun(files).loadctl(['verify']);
  expect(said.code).toBe(115);
  expect(said.stderr).toContain('damaged');
  expect(said.stderr).toContain(says);
  expect(said.stderr).not.toMatch(/\n\s+at /);
});

const profile = (url: string) => `target: {url: "${url}"}\nworkload: {script: ../script.js, vus: 1, duration: 1s}\n`;

test('a place where no run directory can be made: 115, with the fix', async () => {
  const place = workplace({
    'profiles/dev.yaml': profile('http://127.0.0.1:1'),
    'script.js': 'export default () => {};',
    '.loadctl': 'a file',
  });
  const said = await place.loadctl(['run', '--env', 'dev']);
  expect(said.code).toBe(115);
  expect(said.stderr).toContain('cannot be written');
  expect(said.stderr).not.toMatch(/\n\s+at /);
});

test.runIf(process.getuid?.() === 0)('a full disk: 115, with the fix', async () => {
  const place = workplace({ 'profiles/dev.yaml': profile('http://127.0.0.1:1'), 'script.js': 'export default () => {};' });
  const runs = join(place.folder, '.loadctl');
  mkdirSync(runs);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k,nr_inodes=2', 'tmpfs', runs]);
  onTestFinished(() => void execFileSync('umount', [runs]));
  const said = await place.loadctl(['run', '--env', 'dev']);
  expect(said.code).toBe(115);
  expect(said.stderr).toContain('disk is full');
  expect(said.stderr).not.toMatch(/\n\s+at /);
});
