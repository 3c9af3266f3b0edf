import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';

const run = '20260102-030405-abcde';
const record = {
  version: 2,
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

const ended = (runner: string) => ({ at: 3, t: 3, type: 'runner-ended', runner, cause: 'reached-end', numbers: 'own', lost: 0 });
const counter = (count: number) => ({ type: 'counter', contains: 'default', values: { count, rate: count }, bounds: {} });

function withRun(files: Record<string, unknown>): Workplace {
  const text = (content: unknown) => (typeof content === 'string' ? content : JSON.stringify(content));
  return workplace(Object.fromEntries(Object.entries(files).map(([name, content]) => [`.loadctl/runs/${run}/${name}`, text(content)])));
}

test('verify without a run says how to make one', async () => {
  const said = await workplace().loadctl(['verify']);
  expect(said.code).toBe(115);
  expect(said.stderr).toContain('No runs here yet');
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

test('verify of a run whose loadctl was killed says what is known, limits with their units', async () => {
  const scriptThresholds = { 'http_req_duration{name:GET /a}': ['p(95)<800'], checks: ['rate>0.99'], own_time: ['max<7'] };
  const second = { elapsedMs: 4012, totalMs: 60_000, vus: 4, requests: 1234, requestsPerSecond: 300, failedRequests: 3, iterations: 600 };
  const events = [
    { at: 1, type: 'fleet-released', runners: 2 },
    { at: 2, type: 'fleet-sampled', ...second, runnersReporting: 2 },
    { at: 3, type: 'load-ended', elapsedMs: 4100 },
  ];
  const killed = { ...record, plan: { ...record.plan, steady: { from: 2000, to: 50_000 } }, scriptThresholds };
  const place = withRun({ 'run.json': killed, 'events.ndjson': events.map((event) => JSON.stringify(event)).join('\n') });
  expect((await place.loadctl(['verify', run])).stdout).toMatchInlineSnapshot(`
    "INTERRUPTED  run 20260102-030405-abcde · judged: nothing

      → The run did not finish: loadctl (process 4000000 on elsewhere) was killed or crashed. Last known load: 1,234 requests in 4s of 1m, 3 of them failed.
      → Nothing was judged: the run has no numbers.

      criterion                             limit     actual  verdict
      p95                                   < 500 ms  –       ✖ no data
      http_req_duration{name:GET /a} p(95)  < 800 ms  –       ✖ no data
      checks rate                           > 99%     –       ✖ no data
      own_time max                          < 7       –       ✖ no data
    "
  `);
});

test('a run that ended before its steady part has no judged window', async () => {
  const summary = { version: 1, run, k6Version: '2.2.0', durationMs: 1500, runners: 1, metrics: {} };
  const steady = { ...record, plan: { ...record.plan, steady: { from: 2000, to: 50_000 } } };
  const said = await withRun({ 'run.json': steady, 'summary.json': summary, 'events.ndjson': '' }).loadctl(['verify']);
  expect(said.stdout).toContain('judged: nothing (ended before the steady part)');
});

test('attach to a run whose loadctl was killed says that it is gone', async () => {
  const host = execFileSync('hostname', { encoding: 'utf8' }).trim();
  const gone = withRun({ 'run.json': { ...record, by: { user: 'ann', host, pid: 4_000_000 } }, 'events.ndjson': '' });
  const said = await gone.loadctl(['attach']);
  expect(said.code).toBe(115);
  expect(said.stderr).toContain(`The loadctl of run ${run} died (process 4000000 on ${host})`);
  expect(said.stderr).toContain(`loadctl verify ${run}`);
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
  ['run.json is not JSON', { 'run.json': '{"version": 1,' }, 'run.json'],
  ['run.json lacks its plan', { 'run.json': { version: 2, run } }, 'run.json'],
  ['summary.json is not JSON', { 'run.json': record, 'summary.json': '' }, 'summary.json'],
  ['summary.json is something else', { 'run.json': record, 'summary.json': '[1, 2]' }, 'summary.json'],
  [
    'an event in the middle is broken',
    { 'run.json': record, 'events.ndjson': '{"at":1\n{"at":2,"type":"noted","message":"x"}\n' },
    'events.ndjson:1',
  ],
  ['by is nothing', { 'run.json': { ...record, by: null } }, 'run.json: by is not an object'],
  [
    'a limit is no number',
    { 'run.json': { ...record, plan: { ...record.plan, criteria: [{ limit: null }] } } },
    'plan.criteria.0: name is missing',
  ],
  ['when it began is no time', { 'run.json': { ...record, startedAt: 'soon' } }, 'startedAt is not a number'],
  ['an event is nothing', { 'run.json': record, 'events.ndjson': 'null\n' }, 'events.ndjson:1: it is not an object'],
  [
    'how much was lost with a runner is no number',
    { 'run.json': record, 'events.ndjson': '{"type":"runner-ended","runner":"1","cause":"killed","numbers":"own","lost":null}\n' },
    'events.ndjson:1: lost is not a number',
  ],
  [
    'a metric is nothing',
    { 'run.json': record, 'summary.json': { durationMs: 1, runners: 1, metrics: { checks: null } } },
    'metrics.checks',
  ],
  [
    'a sample is nothing',
    { 'run.json': record, 'events.ndjson': '', 'generators.ndjson': '{"t":1}\n' },
    'generators.ndjson:1: runner is missing',
  ],
  ['events.ndjson is a folder', { 'run.json': record, 'events.ndjson/file': '' }, 'events.ndjson'],
  ['a runner is nothing', { 'run.json': { ...record, plan: { ...record.plan, runners: [null] } } }, 'plan.runners.0: it is not an object'],
  [
    'a group is nothing',
    {
      'run.json': record,
      'summary.json': { durationMs: 1, runners: 1, metrics: {}, rootGroup: { name: '', groups: [null], checks: [] } },
    },
    'do not fit together',
  ],
])('a damaged directory is said to be one: %s', async (_, files, says) => {
  const place = withRun(files);
  const said = await place.loadctl(['verify']);
  expect([said.code, said.stderr]).toEqual([115, expect.stringMatching(/damaged/)]);
  expect(said.stderr.replace(/\n +/g, ' ')).toContain(says);
  expect(said.stderr).not.toMatch(/\n\s+at |bug in loadctl/);
  expect(await place.loadctl(['runs'])).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  ['nothing', '{}', 'verdict is missing'],
  ['another word', '{"verdict":"fine","reasons":[]}', 'verdict is none'],
  ['no JSON', '', 'verdict.json'],
])('a run whose verdict.json holds %s is a damaged one in the list, and the others are listed', async (_, text, says) => {
  const place = withRun({ 'run.json': record, 'verdict.json': text });
  const other = '20260102-040405-zzzzz';
  place.file(`.loadctl/runs/${other}/run.json`, JSON.stringify({ ...record, run: other }));
  const said = await place.loadctl(['runs', '--json']);
  const { runs } = JSON.parse(said.stdout);
  expect([said.code, runs]).toMatchObject([0, [{ run: other }, { run, state: 'damaged', why: expect.stringContaining(says) }]]);
});

test('attach tells a damaged event as verify does', async () => {
  const place = withRun({ 'run.json': record, 'events.ndjson': '{"type":"judged","verdict":null,"at":1,"t":1}\n' });
  const said = await place.loadctl(['attach']);
  expect([said.code, said.stderr]).toEqual([115, expect.stringContaining('damaged')]);
});

test('a run that never opened is passed over; where it is named, it is damaged', async () => {
  const place = withRun({ 'run.json': record, 'events.ndjson': '' });
  const unopened = '20260102-040405-zzzzz';
  place.file(`.loadctl/runs/${unopened}/events.ndjson`, '');
  const latest = await place.loadctl(['verify']);
  expect(latest.stderr).toContain(`The latest run here: ${join(place.folder, '.loadctl', 'runs', run)}`);
  for (const named of [unopened, join('.loadctl', 'runs', unopened), place.folder]) {
    const said = await place.loadctl(['verify', named]);
    expect([said.code, said.stderr]).toEqual([115, expect.stringMatching(/damaged: .*: run\.json is missing/)]);
  }
});

test('a run whose events lack what came of a runner is no pass', async () => {
  const runners = ['1', '2'].map((id) => ({ id, segment: '0:1/2', sequence: '0,1/2,1' }));
  const whole = { ...record, plan: { ...record.plan, criteria: [], runners } };
  const summary = { version: 1, run, k6Version: '2.2.0', durationMs: 1500, runners: 2, metrics: { iterations: counter(9) } };
  const verify = async (...outcomes: string[]) => {
    const events = [{ at: 1, t: 1, type: 'fleet-released', runners: 2 }, ...outcomes.map(ended)];
    const files = { 'run.json': whole, 'summary.json': summary, 'events.ndjson': events.map((event) => JSON.stringify(event)).join('\n') };
    return withRun({ ...files, 'events.ndjson': `${files['events.ndjson']}\n` }).loadctl(['verify']);
  };
  expect((await verify('1', '2')).code).toBe(0);
  const said = await verify('1');
  expect([said.code, said.stdout]).toEqual([111, expect.stringContaining('The outcome of runner 2 is missing from events.ndjson.')]);
});

test('a run that ended before its load has the exit code of what ended it', async () => {
  const events = [
    { at: 1, t: 1, type: 'phase-started', phase: 'run' },
    { at: 2, t: 2, type: 'phase-finished', phase: 'run', elapsedMs: 1, reasons: ['refused'] },
  ];
  const place = withRun({ 'run.json': record, 'events.ndjson': events.map((event) => `${JSON.stringify(event)}\n`).join('') });
  const said = await place.loadctl(['verify', '--json']);
  expect([said.code, JSON.parse(said.stdout)]).toMatchObject([
    112,
    { verdict: 'interrupted', reasons: ['The run ended before any load was made: refused.', expect.anything()], exitCodes: [112] },
  ]);
});

test('a run whose verdict could not be written ends as it ended then, though its numbers are all there', async () => {
  const finished = { at: 4, t: 4, type: 'phase-finished', phase: 'run', elapsedMs: 1, reasons: ['unavailable'] };
  const events = [
    { at: 1, t: 1, type: 'phase-started', phase: 'run' },
    { at: 1, t: 1, type: 'fleet-released', runners: 1 },
    ended('1'),
    finished,
  ];
  const plan = { ...record.plan, criteria: [], runners: [{ id: '1', segment: '0:1', sequence: '0,1' }] };
  const summary = { version: 1, run, k6Version: '2.2.0', durationMs: 1500, runners: 1, metrics: { iterations: counter(9) } };
  const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  const place = withRun({ 'run.json': { ...record, plan }, 'summary.json': summary, 'events.ndjson': lines });
  const said = await place.loadctl(['verify', '--json']);
  expect([said.code, JSON.parse(said.stdout)]).toMatchObject([
    115,
    {
      verdict: 'interrupted',
      reasons: [expect.stringContaining('The run ended before its verdict was written:'), expect.anything()],
      exitCodes: [115],
    },
  ]);
  const { runs } = JSON.parse((await place.loadctl(['runs', '--json'])).stdout);
  expect(runs).toMatchObject([{ run, state: 'interrupted' }]);
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

test('a run.json without a version is damaged, not of another layout', async () => {
  const said = await withRun({ 'run.json': {} }).loadctl(['verify']);
  expect(said).toMatchObject({ code: 115, stderr: expect.stringMatching(/run directory is damaged: .*run\.json: it has no version/) });
});

test('a run of an earlier layout is listed with its stored verdict, and refused by verify and attach in one sentence', async () => {
  const verdict = { version: 1, run, verdict: 'fail', reasons: ['p95 was 612 ms, limit < 500 ms.'], criteria: [] };
  const earlier = withRun({ 'run.json': { ...record, version: 1 }, 'verdict.json': verdict, 'events.ndjson': '{"at":1,"type":"noted"}\n' });
  const { runs } = JSON.parse((await earlier.loadctl(['runs', '--json'])).stdout);
  expect(runs).toEqual([{ run, environment: record.environment, state: 'failed', why: 'p95 was 612 ms, limit < 500 ms.' }]);
  for (const command of ['verify', 'attach', 'stop']) {
    const said = await earlier.loadctl([command]);
    expect(said.code).toBe(115);
    expect(said.stderr).toContain(`error: The directory of run ${run} has layout version 1; this loadctl reads version 2 only.\n`);
    expect(said.stdout).toBe('');
  }
});
