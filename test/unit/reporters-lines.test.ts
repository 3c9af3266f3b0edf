import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { LoadctlEvent } from '../../src/core/events.js';
import { runnerId } from '../../src/core/ids.js';
import type { Screen } from '../../src/core/os.js';
import { formatDuration } from '../../src/core/quantities.js';
import { forScreen } from '../../src/core/sanitise.js';
import type { Verdict } from '../../src/core/verdict.js';
import { reporters } from '../../src/reporters/index.js';
import { noPaint } from '../../src/reporters/paint.js';
import { suspension } from '../../src/world/suspend.js';
import { takeover } from '../../src/world/whole-screen.js';
import { runId } from '../support/ids.js';

/** A screen that remembers what it shows. */
function memory(): Screen & { text(): string } {
  let shown = '';
  const pass = (text: string) => {
    shown += text;
  };
  const stream = new Writable({ write: (chunk, _, done) => done(void pass(String(chunk))) });
  return {
    write: (text) => pass(forScreen(text)),
    pass,
    isTerminal: false,
    takeWhole: takeover({ stream, descriptor: () => undefined }, suspension({ on: () => {}, off: () => {}, send: () => {} })).take,
    isBehind: false,
    width: 80,
    height: 24,
    stream: Object.assign(stream, { fd: 1 as const }) as unknown as NodeJS.WriteStream,
    text: () => shown,
  };
}

async function said(kind: keyof typeof reporters, events: readonly (LoadctlEvent & { at?: number })[], withResults = true) {
  const [talk, results] = [memory(), memory()];
  const options = { talk, talkPaint: noPaint, resultsPaint: noPaint };
  const reporter = await reporters[kind](withResults ? { ...options, results } : options);
  for (const [index, event] of events.entries()) reporter.handle({ at: index * 1000, t: index * 1000, ...event });
  reporter.close();
  return { talk: talk.text(), results: results.text() };
}

const sample = (second: number): LoadctlEvent => ({
  type: 'fleet-sampled',
  elapsedMs: second * 1000,
  totalMs: 60_000,
  vus: 100,
  requests: second * 125,
  requestsPerSecond: 125.4,
  failedRequests: second > 10 ? 2 : 0,
  iterations: second * 100,
  runnersReporting: 2,
});

const verdict: Verdict = { version: 1, run: runId('r'), verdict: 'pass', reasons: [], criteria: [] };

const story: readonly LoadctlEvent[] = [
  { type: 'phase-started', phase: 'run', environment: 'dev', runners: 2, backend: 'local', url: 'http://127.0.0.1:8080' },
  { type: 'step-started', step: 'archive', work: { kind: 'archive-script', script: 'k6/first.js' } },
  { type: 'step-finished', step: 'archive', elapsedMs: 230, result: 'archived', k6Version: '2.2.0', sha256: '0123456789abcdef' },
  { type: 'run-opened', run: runId('r'), directory: '.loadctl/runs/r', planHash: '0123456789abcdef' },
  { type: 'runner-ready', runner: runnerId(1), vus: 50 },
  { type: 'setup-finished', runner: runnerId(1), elapsedMs: 20 },
  { type: 'fleet-released', runners: 2 },
  ...Array.from({ length: 21 }, (_, index) => sample(index + 1)),
  { type: 'health-probed', good: true, status: 200, elapsedMs: 3 },
  { type: 'health-probed', good: false, status: 503, elapsedMs: 3 },
  { type: 'health-probed', good: false, status: 0, elapsedMs: 3 },
  { type: 'health-probed', good: true, status: 200, elapsedMs: 3 },
  { type: 'warned', code: 'tag-lost', tag: 'part' },
  { type: 'load-ended', elapsedMs: 60_400 },
  { type: 'teardown-started', runner: runnerId(1) },
  { type: 'teardown-finished', runner: runnerId(1), elapsedMs: 1, error: 'boom', how: 'threw' },
  { type: 'runner-ended', runner: runnerId(1), cause: 'reached-end', numbers: 'own', lost: 0 },
  { type: 'runner-ended', runner: runnerId(2), cause: 'killed', signal: 'SIGKILL', numbers: 'pushed', lost: 0.25 },
  { type: 'start-skew-measured', skewMs: 12 },
  { type: 'summary-handled', stdout: 'my own summary', stderr: '' },
  { type: 'judged', run: runId('r'), verdict },
  { type: 'phase-finished', phase: 'run', elapsedMs: 61_000, reasons: ['sla-failed', 'interrupted'] },
];

const nameWith = (name: string) => ({ name, requests: 1, requestsPerSecond: 1, failedRequests: 0 });

describe('names that differ by an id only', () => {
  const users = Array.from({ length: 6 }, (_, at) => nameWith(`http://127.0.0.1:8080/users/${at * 7}/orders?page=${at}`));
  const told = async (kind: keyof typeof reporters, ...seconds: readonly (readonly ReturnType<typeof nameWith>[])[]) => {
    const samples = seconds.map((endpoints, at) => ({ ...sample(at + 1), endpoints, endpointsInAll: endpoints.length }) as LoadctlEvent);
    return (await said(kind, [{ type: 'fleet-released', runners: 2 }, ...samples])).talk;
  };

  test.each(['plain', 'quiet', 'terminal'] as const)('are told once, with the tag to set (%s)', async (kind) => {
    const talk = await told(kind, users.slice(0, 3), users, [...users, nameWith('http://127.0.0.1:8080/users/99/orders')]);
    expect(talk.split('differ by an id only')).toHaveLength(2);
    expect(talk.replace(/\s+/g, ' ')).toContain("Give their requests one name in the script: {tags: {name: '/users/:id/orders'}}");
    expect(talk).toContain('6 endpoints differ');
  });

  test.each([
    [['GET /v1', 'GET /v2', 'GET /v3', 'GET /v4', 'GET /v5', 'GET /v6']],
    [['/users/1', '/orders/1', '/carts/1', '/seats/1', '/events/1']],
    [['/users/1', '/users/2', '/users/3', '/users/4']],
    [Array.from({ length: 9 }, (_, at) => `/users/:id/page-${'abcdefghi'[at]}`)],
  ])('are not found in %j', async (names) => {
    expect(await told('plain', names.map(nameWith))).not.toContain('differ');
  });

  test('ids are numbers, UUIDs and hashes', async () => {
    const ids = ['7', '0190163d-8694-739b-aea5-966c26f8ad91', 'deadbeef0123456789', 'user-20260102-00017', '9007199254740993'];
    expect(
      await told(
        'plain',
        ids.map((id) => nameWith(`GET /items/${id}`)),
      ),
    ).toContain("'GET /items/:id'");
  });
});

test('a line comes every ten seconds for five minutes, then one a minute, and events between', async () => {
  const seconds = Array.from({ length: 600 }, (_, at) => sample(at + 1));
  const { talk } = await said('plain', [
    ...seconds.slice(0, 431),
    { type: 'warned', code: 'tag-lost', tag: 'part' },
    ...seconds.slice(431),
  ]);
  const lines = talk.split('\n').map((line) => /^ {2}(\S+)\/1m · 100 VUs/.exec(line)?.[1] ?? line.trim());
  const often = Array.from({ length: 30 }, (_, at) => formatDuration((at + 1) * 10_000));
  const told = lines.filter((line) => line !== '' && !line.startsWith('Rename'));
  expect(told).toEqual([...often, '6m', '7m', expect.stringContaining('tag `part` is lost'), '8m', '9m', '10m']);
});

describe('plain', () => {
  test('says what happens, a line each', async () => {
    const { talk, results } = await said('plain', story);
    expect(`\n${talk}`).toMatchInlineSnapshot(`
      "
      run dev: 2 runners (local) → http://127.0.0.1:8080
        archive k6/first.js …
        archive k6/first.js: k6 2.2.0, sha256 0123456789ab (230ms)
        run r, plan 0123456789ab, in .loadctl/runs/r
        runner 1 is ready: 50 VUs
        setup() ran on runner 1
        the load begins: 2 runners released together
        10s/1m · 100 VUs · 125 requests/s · 0 errors
        20s/1m · 100 VUs · 125 requests/s · 2 errors (0.08%)
        warning: the target's health probe failed (status 503)
        the target is healthy again, after 2 missed probes
        warning: The script's own tag \`part\` is lost: loadctl marks the judged window with it.
          Rename the tag in options.tags or in the scenario.
        the load ended after 1m
        teardown() runs on runner 1 …
      ✖ the script threw in teardown(): boom
      ✖ runner 2 was lost (killed by SIGKILL)
        the runners' first iterations began within 12ms
      ✖ run ended after 1m1s: the SLA was not met, interrupted
      "
    `);
    expect(results).toBe('my own summary\n\nPASS  run r\n');
  });

  test('keeps results to itself where nobody wants tables', async () => {
    expect((await said('plain', story, false)).results).toBe('');
  });

  test('says now and then how a long step is getting on, also one that nobody announced', async () => {
    const at = (seconds: number, done: number) =>
      ({ type: 'step-progressed', step: 'users', done, total: 1000, unit: 'rows', t: seconds * 1000 }) as const;
    const { talk } = await said('plain', [
      at(0, 1),
      at(5, 100),
      at(11, 400),
      at(12, 500),
      at(22, 900),
      { type: 'step-failed', step: 'users', message: 'x' },
    ]);
    expect(talk).toBe(
      '  users: 400 of 1,000 rows · 36.4 rows/s · 17s left\n  users: 900 of 1,000 rows · 40.9 rows/s · 3s left\n  users: failed\n',
    );
  });
});

test('quiet says only what went wrong, and what came of it', async () => {
  const { talk, results } = await said('quiet', story);
  expect(`\n${talk}`).toMatchInlineSnapshot(`
    "
      warning: the target's health probe failed (status 503)
      warning: The script's own tag \`part\` is lost: loadctl marks the judged window with it.
        Rename the tag in options.tags or in the scenario.
    ✖ the script threw in teardown(): boom
    ✖ runner 2 was lost (killed by SIGKILL)
    ✖ run ended after 1m1s: the SLA was not met, interrupted
    "
  `);
  expect(results).toContain('PASS  run r');
});

test('a teardown() is shown while it runs; one that was cut off is not said to have run', async () => {
  const begun = { type: 'teardown-started', runner: runnerId(1) } as const;
  expect((await said('terminal', [begun])).talk).toContain('teardown() runs on runner 1');
  const { talk } = await said('plain', [begun, { type: 'teardown-cut-off', runner: runnerId(1), elapsedMs: 2000 }]);
  expect(talk).toContain('✖ teardown() was cut off on runner 1 (2s): it may not have finished');
});

test('the terminal shows what is done, and leaves nothing spinning', async () => {
  const { talk } = await said('terminal', story);
  expect(talk).toContain('✔ archive k6/first.js  k6 2.2.0, sha256 0123456789ab (230ms)\n');
  expect(talk).toContain('the load ended after 1m\n');
  expect(talk).toContain('✖ run ended after 1m1s: the SLA was not met, interrupted\n');
});
