import { Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LoadctlEvent } from '../../src/core/events.js';
import { runnerId } from '../../src/core/ids.js';
import type { Screen } from '../../src/core/os.js';
import { forScreen, harmless, harmlessJson, ownControl } from '../../src/core/sanitise.js';
import { reporters } from '../../src/reporters/index.js';
import { loadPaint, noPaint } from '../../src/reporters/paint.js';
import { runId } from '../support/ids.js';

/** What no screen may get of what is foreign: C0 but tab and newline, DEL, C1, bidi controls; and what a CI system reads as a command. */
function acts(text: string): string[] {
  const characters = [...text].filter((character) => {
    const code = character.codePointAt(0) ?? 0;
    const control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const bidi = [0x61c, 0x200e, 0x200f].includes(code) || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return (control && character !== '\n' && character !== '\t') || bidi;
  });
  return [...characters.map((character) => JSON.stringify(character)), ...(text.match(/##(?:vso|teamcity)?\[|^\s*::/gim) ?? [])];
}

const pieces = ['\u001b]0;title\u0007', '\u001b[2J', '\u001b[31m', '\u009b1A', '\u202e', '\u2066', '\r', '\r\n', '\n', '\u007f', '\b'];
const commands = ['::error::', '::add-mask::x', '::', '##[error]', '##vso[task.complete]', '##teamcity[x]', '\n::set-output name=x::'];
const words = ['a', 'b c', '  ', '\t', '%', '[redacted]', 'http://[::1]:80/', 'é', '日本'];
const foreign = fc
  .array(fc.oneof(fc.constantFrom(...pieces, ...commands, ...words), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 8 })
  .map((parts) => parts.join(''));

test('a hostile text can be read, and does nothing', () => {
  expect(harmless('A\u001b]0;x\u0007B\u001b[2JC\u202eD\rE\r\nF\u007f\u009b')).toBe('A\\x1b]0;x\\x07B\\x1b[2JC\\u202eD\\x0dE\nF\\x7f\\x9b');
  expect(harmless('::error::no\n  ::warning::no\nyes::no\n\u200b::no')).toBe(': :error::no\n  : :warning::no\nyes::no\n\u200b: :no');
  expect(harmless('x ##[group]a ##vso[task.x] ##TeamCity[y] ## z')).toBe('x # #[group]a # #vso[task.x] # #TeamCity[y] ## z');
  const plain = 'It was 3 ms (2–4), 100%, at http://[::1]:8080/ünï – 日本 👩‍💻\n\ttwo';
  expect(harmless(plain)).toBe(plain);
});

test('JSON says the same, harmlessly', () => {
  fc.assert(
    fc.property(fc.oneof(foreign, fc.string({ unit: 'binary' })), (text) => {
      const json = harmlessJson(JSON.stringify({ [text]: [text] }, null, 2));
      expect(JSON.parse(json)).toEqual({ [text]: [text] });
      expect(acts(json)).toEqual([]);
    }),
  );
});

test('on a screen only what loadctl itself made acts', async () => {
  const paint = await loadPaint(true);
  fc.assert(
    fc.property(foreign, (text) => {
      const shown = forScreen(`${paint.bad(text)}${paint.strong(paint.good(text))}\n${ownControl('\u001b[K')}${text}`);
      expect(acts(withoutOwn(shown))).toEqual([]);
    }),
  );
  expect(forScreen(paint.bad('x'))).toBe('\u001b[31mx\u001b[39m');
  expect(forScreen('\u001b[31mx')).toBe('\\x1b[31mx');
});

const csi = '\\u001b\\[';
/** What loadctl's reporters write: five colours, the moves of the live view, and those of the spinner. */
const own = new RegExp(`${csi}(?:(?:1|2|22|31|32|33|36|39)m|\\d+[AG]|[JK]|2K|\\?7[lh]|\\?25[lh]|\\?2026[lh])|\\r(?=${csi}\\d+A)`, 'g');
const withoutOwn = (shown: string) => shown.replace(own, '');

const value = { value: 1, low: 1, high: 2 };
const latency = { p50: value, p95: value, p99: value };

/** A run in which everything that is foreign is this text. */
function storyOf(text: string): LoadctlEvent[] {
  const runner = runnerId(1);
  const error = { code: 'unavailable', message: text, hint: text, lines: [text, text] } as const;
  const place = { store: text, shard: null };
  const criterion = {
    name: text,
    source: 'client',
    metric: text,
    stat: 'rate',
    operator: '<',
    limit: 1,
    unit: '%',
    window: 'test',
  } as const;
  const numbers = { requests: 3, requestsPerSecond: 1, errors: 0.5, latency };
  const script = {
    checks: { passes: 1, fails: 2, failing: [{ name: text, path: text, passes: 1, fails: 2 }] },
    scenarios: [text, 'other'].map((name) => ({ name, iterations: 3, requests: 3 })),
    metrics: [{ name: text, type: 'counter', contains: 'default', values: { count: 3 } }],
  } as const;
  const judged = { name: text, source: 'client', metric: text, limit: text, actual: 1, low: 0, high: 2, unit: '%', window: text } as const;
  const by = { user: text, host: text };
  return [
    { type: 'command-started', command: 'run', environment: text, version: text },
    { type: 'phase-started', phase: 'run', environment: text, runners: 1, backend: text, url: text },
    { type: 'step-started', step: text, work: { kind: 'archive-script', script: text } },
    { type: 'step-finished', step: text, elapsedMs: 230, result: 'archived', k6Version: text, sha256: text },
    { type: 'step-started', step: 's', work: { kind: 'seed', what: text, ...place } },
    { type: 'step-progressed', step: 's', done: 1, total: 3, unit: 'rows' },
    { type: 'step-failed', step: 's', message: text },
    { type: 'run-opened', run: runId('r'), directory: text, planHash: text },
    { type: 'live-colour-found', live: 'blue', loaded: 'green', url: text },
    { type: 'runner-started', runner, host: text, segment: text },
    { type: 'warned', code: 'k6-complained', message: text, times: 2 },
    { type: 'warned', code: 'tag-lost', tag: text },
    { type: 'warned', code: 'k6-versions-differ', versions: { [text]: [text], two: [text] } },
    { type: 'warned', code: 'numbers-unreadable', runner, message: text },
    { type: 'warned', code: 'live-lookup-failed', error, retryMs: 1 },
    { type: 'warned', code: 'lock-lost', place, why: text, retryMs: 1 },
    { type: 'noted', code: 'k6-binary', message: text },
    { type: 'noted', code: 'side-effect', effect: text },
    { type: 'fleet-released', runners: 1 },
    {
      ...{ type: 'fleet-sampled', elapsedMs: 10_000, totalMs: 60_000, vus: 1, requests: 3, requestsPerSecond: 1, failedRequests: 1 },
      ...{ iterations: 3, runnersReporting: 1, latency, endpoints: [{ name: text, requests: 3, requestsPerSecond: 1, failedRequests: 1 }] },
    },
    { type: 'fleet-stopped', cause: 'asked', by },
    { type: 'runner-ended', runner, cause: 'not-released', said: text, numbers: 'none', lost: 1 },
    { type: 'load-ended', elapsedMs: 10_000 },
    { type: 'teardown-finished', runner, elapsedMs: 1, error: text },
    { type: 'summary-handled', stdout: '', stderr: text },
    { type: 'measured', run: runId('r'), k6Version: text, runners: 1, all: numbers, endpoints: [{ name: text, ...numbers }], script },
    {
      type: 'judged',
      run: runId('r'),
      verdict: { version: 1, run: runId('r'), verdict: 'fail', reasons: [text], criteria: [{ ...judged, outcome: 'fail' }] },
    },
    { type: 'fleet-stopped', cause: 'rule', rule: { when: criterion, for: 1, after: 1 }, actual: value },
    { type: 'failed', error },
    { type: 'command-finished', reasons: ['unavailable'] },
  ];
}

/** A screen as a program sees it that reads along: all that is written to it or to its stream. */
function memory(isTerminal: boolean): Screen & { text(): string } {
  let shown = '';
  const pass = (text: string) => {
    shown += text;
  };
  const stream = new Writable({ write: (chunk, _, done) => done(void pass(String(chunk))) });
  const moves = { cursorTo: () => {}, clearLine: () => {}, moveCursor: () => {} };
  const drawn = Object.assign(stream, { isTTY: isTerminal, columns: 80, rows: 24, fd: 1 as const, ...moves });
  return {
    write: (text) => pass(forScreen(text)),
    pass,
    isTerminal,
    isBehind: false,
    takeWhole: () => ({ write: () => {}, giveBack: () => {} }),
    width: 80,
    height: 24,
    stream: drawn as unknown as NodeJS.WriteStream,
    text: () => shown,
  };
}

test.each(['plain', 'quiet', 'terminal'] as const)('%s: whatever the events hold, no screen gets what acts on it', async (kind) => {
  const coloured = kind === 'terminal';
  const paint = coloured ? await loadPaint(true) : noPaint;
  await fc.assert(
    fc.asyncProperty(foreign, async (text) => {
      const [talk, results] = [memory(coloured), memory(coloured)];
      const reporter = await reporters[kind]({ talk, talkPaint: paint, results, resultsPaint: paint });
      for (const [index, event] of storyOf(text).entries()) reporter.handle({ at: index * 1000, t: index * 1000, ...event });
      reporter.close();
      for (const screen of [talk, results]) expect(acts(withoutOwn(screen.text()))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('what the script says itself is its own affair; in CI it stands between marks that it cannot know', async () => {
  const stdout = '\u001b[32mdone\u001b[0m\n::error::mine';
  const said = async (stopMarks: boolean) => {
    const results = memory(false);
    const reporter = await reporters.plain({ talk: memory(false), talkPaint: noPaint, results, resultsPaint: noPaint, stopMarks });
    reporter.handle({ at: 0, t: 0, type: 'summary-handled', stdout, stderr: '' });
    return results.text();
  };
  expect(await said(false)).toBe(`${stdout}\n`);
  const [first = '', second = ''] = [await said(true), await said(true)];
  const marked = /^::stop-commands::([0-9a-f]{32})\n(.*)\n::([0-9a-f]{32})::\n$/s;
  const [, opened, inside, closed] = marked.exec(first) ?? [];
  expect([inside, closed]).toEqual([stdout, opened]);
  expect(marked.exec(second)?.[1]).not.toBe(opened);
});
