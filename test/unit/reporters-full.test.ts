import xterm from '@xterm/headless';
import { describe, expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import type { EndpointSample, LoadctlEvent, LoggedEvent } from '../../src/core/events.js';
import { runnerId } from '../../src/core/ids.js';
import type { LiveValue } from '../../src/core/quantities.js';
import { forScreen, harmlessDeep } from '../../src/core/sanitise.js';
import { fullView } from '../../src/reporters/full-view.js';
import { type LoadNow, loadFold } from '../../src/reporters/load-now.js';
import { loadPaint, noPaint, type Paint } from '../../src/reporters/paint.js';
import { makeTeller } from '../../src/reporters/sentences/index.js';
import { sparkline } from '../../src/reporters/sparkline.js';

const exactly = (value: number): LiveValue => ({ value, low: value, high: value });
const latency = { p50: exactly(5), p95: exactly(12), p99: exactly(31.5) };
const endpoint = (name: string, requests: number, failedRequests = 0): EndpointSample => ({
  name,
  requests,
  requestsPerSecond: requests / 10,
  failedRequests,
  latency,
  recent: { requests, failedRequests, p50: 4, p95: 12.5, p99: 31 },
});
const limit = (name: string, stat: string, value: number, more: Partial<Criterion> = {}): Criterion => ({
  name,
  source: 'client',
  metric: 'http_req_duration',
  stat,
  operator: '<',
  limit: value,
  unit: 'ms',
  window: 'steady',
  ...more,
});
const p95 = limit('p95', 'p(95)', 500);
const errors = limit('errors', 'rate', 0.001, { metric: 'http_req_failed', unit: '%' });
const cpu = limit('cpu', 'avg', 0.8, { source: 'server', metric: 'cpu', unit: '%' });

const second = (at: number, more: Partial<Extract<LoggedEvent, { type: 'fleet-sampled' }>> = {}): LoadctlEvent => ({
  type: 'fleet-sampled',
  elapsedMs: at * 1000,
  totalMs: 60_000,
  vus: 100,
  requests: at * 125,
  requestsPerSecond: 120 + at,
  failedRequests: 2,
  iterations: at * 100,
  runnersReporting: 2,
  latency,
  endpoints: [endpoint('GET /', 3000), endpoint('POST /orders', 1000, 2)],
  endpointsInAll: 2,
  second: { p50: 5, p95: 10 + at, p99: 30 + (at % 7) },
  recent: { overMs: 10_000, requests: 4000, failedRequests: 2, p50: 5, p95: 42, p99: 90 },
  scenarios: [
    { name: 'browse', requests: 3000, failedRequests: 0, p50: 4, p95: 12, p99: 20 },
    { name: 'buy', requests: 1000, failedRequests: 2, p50: 6, p95: 30, p99: 70 },
  ],
  ...more,
});

const story = (...more: readonly LoadctlEvent[]): readonly LoadctlEvent[] => [
  { type: 'phase-started', phase: 'run', environment: 'dev', runners: 2, backend: 'local', url: 'http://127.0.0.1:8080' },
  { type: 'runner-started', runner: runnerId(1), host: 'one.example.com', segment: '0:1/2' },
  { type: 'runner-started', runner: runnerId(2), host: 'two.example.com', segment: '1/2:1' },
  { type: 'runner-ready', runner: runnerId(1), vus: 50 },
  { type: 'runner-ready', runner: runnerId(2), vus: 50 },
  { type: 'fleet-released', runners: 2, judged: { from: 10_000, to: 50_000 }, shares: { 'GET /': 0.8, 'POST /orders': 0.2 } },
  ...Array.from({ length: 32 }, (_, at) => second(at + 1)),
  {
    type: 'limits-sampled',
    limits: [
      { limit: p95, value: 42, outcome: 'pass' },
      { limit: errors, value: 0.002, outcome: 'fail' },
    ],
  },
  { type: 'servers-sampled', samples: [{ limit: cpu, value: 0.34, holds: true, monitor: 'host', source: 'db:9100', everyMs: 1000 }] },
  { type: 'health-probed', good: false, status: 503, elapsedMs: 3 },
  ...more,
];

function loadAfter(events: readonly LoadctlEvent[]): LoadNow {
  const [fold, tell] = [loadFold(), makeTeller()];
  for (const [t, event] of events.entries()) {
    const logged = harmlessDeep({ at: 0, t: t * 1000, ...event });
    fold.add(logged, tell(logged));
  }
  return fold.now;
}

interface Size {
  readonly width: number;
  readonly height: number;
  readonly paint?: Paint;
  readonly unicode?: boolean;
}

const lines = (now: LoadNow, { paint = noPaint, unicode = true, ...size }: Size) => fullView(now, { ...size, paint, unicode });

/** What a terminal of that size shows of these lines, and how many of its columns each takes; they fit on it. */
async function shownOn(drawn: readonly string[], { width, height }: Size): Promise<{ text: string; columns: number }[]> {
  const terminal = new xterm.Terminal({ cols: width, rows: height, scrollback: 100, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(forScreen(drawn.join('\n')).replaceAll('\n', '\r\n'), resolve));
  const { active } = terminal.buffer;
  expect(active.length).toBe(height);
  const rows = Array.from({ length: height }, (_, row) => active.getLine(row));
  expect(rows.some((row) => row?.isWrapped)).toBe(false);
  const isFilled = (row: (typeof rows)[number], at: number) => !['', ' '].includes(row?.getCell(at)?.getChars() ?? '');
  const shown = rows.map((row) => {
    const filled = Array.from({ length: width }, (_, at) => at).findLastIndex((at) => isFilled(row, at));
    return { text: row?.translateToString(true) ?? '', columns: filled + 1 };
  });
  terminal.dispose();
  return shown;
}

const cells = async (drawn: readonly string[], size: Size) =>
  (await shownOn(drawn, size))
    .map(({ text }) => text)
    .join('\n')
    .trimEnd()
    .split('\n');

describe('the full view', () => {
  test('shows all of a small load on 80×24', async () => {
    const size = { width: 80, height: 24 };
    expect(`\n${(await cells(lines(loadAfter(story()), size), size)).join('\n')}`).toMatchInlineSnapshot(`
      "
       run dev · judged window · 32s of 1m · 28s left  ████████████████░░░░░░░░░░░░░░
       100 VUs · 152 requests/s · 2 errors (0.05%)
       last 10 s  req/s    400              ▇▇▇▇▇▇▇▇▇▇▇▇████████████████████
                  p50     5 ms              ████████████████████████████████
                  p95    42 ms  ✔ < 500 ms  ▃▃▃▃▃▄▄▄▄▄▅▅▅▅▅▅▆▆▆▆▆▇▇▇▇▇██████
                  p99    90 ms              ▇█████▇▇█████▇▇█████▇▇█████▇▇███
       criteria   ✖ errors     0.2%  < 0.1%
                  ✔ p95       42 ms  < 500 ms
       scenarios  over the last 10 s  req/s    errors   p50    p95    p99
                  browse                300         0  4 ms  12 ms  20 ms
                  buy                   100  2 (0.2%)  6 ms  30 ms  70 ms
       endpoints  over the last 10 s  req/s    errors      p95    p99  got / wanted
                  GET /                 300         0  12.5 ms  31 ms     75% / 80%
                  POST /orders          100  2 (0.2%)  12.5 ms  31 ms     25% / 20%
       runners    2 of 2 report
                  1 · one.example.com · 50 VUs · under load
                  2 · two.example.com · 50 VUs · under load
       servers    ✔ cpu       34%  < 80%  host db:9100
       events     before run dev: 2 runners (local) → http://127.0.0.1:8080
                  0s     the load begins: 2 runners released together
                  35s    the target's health probe failed (status 503)"
    `);
  });

  test('shows more of it, and everything, on 200×60', async () => {
    const size = { width: 200, height: 60 };
    expect(`\n${(await cells(lines(loadAfter(story()), size), size)).join('\n')}`).toMatchInlineSnapshot(`
      "
       run dev · judged window · 32s of 1m · 28s left  █████████████████████░░░░░░░░░░░░░░░░░░░
       100 VUs · 152 requests/s · 2 errors (0.05%)

       last 10 s  req/s    400              ▇▇▇▇▇▇▇▇▇▇▇▇████████████████████
                  p50     5 ms              ████████████████████████████████
                  p95    42 ms  ✔ < 500 ms  ▃▃▃▃▃▄▄▄▄▄▅▅▅▅▅▅▆▆▆▆▆▇▇▇▇▇██████
                  p99    90 ms              ▇█████▇▇█████▇▇█████▇▇█████▇▇███

       criteria   ✖ errors     0.2%  < 0.1%
                  ✔ p95       42 ms  < 500 ms

       scenarios  over the last 10 s  req/s    errors   p50    p95    p99
                  browse                300         0  4 ms  12 ms  20 ms
                  buy                   100  2 (0.2%)  6 ms  30 ms  70 ms

       endpoints  over the last 10 s  req/s    errors   p50      p95    p99  got / wanted
                  GET /                 300         0  4 ms  12.5 ms  31 ms     75% / 80%
                  POST /orders          100  2 (0.2%)  4 ms  12.5 ms  31 ms     25% / 20%

       runners    2 of 2 report
                  1 · one.example.com · 50 VUs · under load
                  2 · two.example.com · 50 VUs · under load

       servers    ✔ cpu       34%  < 80%  host db:9100

       events     before run dev: 2 runners (local) → http://127.0.0.1:8080
                  0s     the load begins: 2 runners released together
                  35s    the target's health probe failed (status 503)"
    `);
  });

  const many = loadAfter(
    story(
      second(33, {
        endpoints: Array.from({ length: 30 }, (_, at) => endpoint(`GET /very/long/path/of/an/endpoint/with/number/${at}`, 1000 - at)),
        endpointsInAll: 47,
      }),
      { type: 'runner-lost', runner: runnerId(2), end: { cause: 'killed', signal: 'SIGKILL' }, lost: 0.5, allowed: true },
      {
        type: 'limits-sampled',
        limits: Array.from({ length: 20 }, (_, at) => ({
          limit: limit(`http_req_duration{name:GET /very/long/path/${at}} p(99)`, 'p(99)', 500),
          value: at,
          outcome: at === 13 ? ('fail' as const) : ('pass' as const),
        })),
      },
    ),
  );

  test.each([
    [80, 24],
    [200, 60],
    [80, 12],
    [60, 20],
    [40, 10],
    [12, 4],
    [400, 100],
  ])('keeps within %i×%i, whatever there is, and says what is left out', async (width, height) => {
    const shown = await cells(lines(many, { width, height }), { width, height });
    if (height < 20) return;
    const text = shown.join('\n');
    expect(text).toContain('… and ');
    expect(text).toMatch(/✖ http_req_duration.*\b13\b|✖ http_req_\S*…/);
    expect(text).toMatch(/1 lost/);
  });

  test.each(['订单列表接口', '주문 목록', 'ご注文の一覧', 'e\u0301te\u0301'])('keeps columns where they are beside %s', async (name) => {
    const size = { width: 80, height: 24 };
    const wide = `GET /${name}/${name}/${name}/${name}/${name}/${name}`;
    const endpoints = [endpoint('GET /', 3000), endpoint(name, 500), endpoint(wide, 400)];
    const shown = await shownOn(lines(loadAfter(story(second(33, { endpoints, endpointsInAll: 3, scenarios: [] }))), size), size);
    const at = shown.findIndex(({ text }) => text.includes('over the last') && text.includes('endpoints'));
    const [first, second_, third] = shown.slice(at + 1).map(({ columns }) => columns);
    expect([second_, third]).toEqual([first, first]);
    expect(shown[at + 3]?.text).toContain('…');
  });

  test('has its limits in colours, and says the same without them', async () => {
    const paint = await loadPaint(true);
    const slow = loadAfter(story({ type: 'limits-sampled', limits: [{ limit: limit('p95', 'p(95)', 40), value: 42, outcome: 'fail' }] }));
    const line = (of: Paint) => lines(slow, { width: 80, height: 24, paint: of }).find((one) => one.includes('p95')) ?? '';
    expect(line(paint)).toContain(paint.bad('42 ms'.padStart(5)));
    expect(forScreen(line(noPaint))).not.toContain('\u001b');
    expect(line(noPaint)).toContain('✖ < 40 ms');
    expect(lines(loadAfter(story()), { width: 80, height: 24 }).find((one) => one.includes('p95'))).toContain('✔ < 500 ms');
  });

  test('shows a number whole or cut with a sign, on a screen of a few columns', () => {
    const [, fleet = '', ...others] = lines(loadAfter(story()), { width: 36, height: 12 });
    expect(fleet.trim()).toBe('100 VUs · 152 requests/s');
    expect(others[2]).toBe('            p95    42 ms  ✔ < 500 m…');
  });

  test('is ASCII alone where the terminal knows no more', () => {
    for (const now of [loadAfter(story()), many])
      for (const line of lines(now, { width: 80, height: 24, unicode: false })) expect(line).toMatch(/^[\x20-\x7e]*$/);
  });

  test('names act on no terminal', async () => {
    const size = { width: 80, height: 24 };
    const hostile = 'GET /\u001b]52;c;aGk=\u0007\u202etxt\nx\u001b[2J';
    const now = loadAfter(story(second(33, { endpoints: [endpoint(hostile, 5)], endpointsInAll: 1 })));
    const shown = await cells(lines(now, size), size);
    expect(shown[0]).toContain('run dev');
    expect(shown.join('\n')).toContain('GET /');
  });

  test('knows when there is nothing yet, what is judged, and that it ends early', () => {
    const begun = loadAfter(story().slice(0, 6));
    expect(lines(begun, { width: 80, height: 24 })[0]).toContain('waiting for the first numbers');
    expect(lines(loadAfter(story().slice(0, 9)), { width: 80, height: 24 })[0]).toContain(
      'ramp-up, judged from 10s on · 3s of 1m · 57s left',
    );
    expect(lines(loadAfter(story({ type: 'noted', code: 'stopping', signal: 'SIGINT' })), { width: 80, height: 24 })[0]).toContain(
      'ending early',
    );
    expect(lines(loadAfter(story(second(55))), { width: 80, height: 24 })[0]).toContain('ramp-down');
  });
});

test('a sparkline goes from nothing to the largest value it shows', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline([100, 1, undefined, 2], 3)).toBe('▅ █');
  expect(sparkline([0, 0], 8)).toBe('▁▁');
});
