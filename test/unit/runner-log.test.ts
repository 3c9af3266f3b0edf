import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openRedactor } from '../../src/core/redactor.js';
import { addComplaints, logDigester } from '../../src/k6/log-digest.js';
import { lineBatches } from '../../src/runners/runner/line-batches.js';
import { keepLog } from '../../src/runners/runner/log-copy.js';
import { logLimits } from '../../src/runners/runner/raw-log.js';

const failed = (error: string) => JSON.stringify({ error, level: 'warning', msg: 'Request Failed' });
const byScript = (msg: string) => JSON.stringify({ level: 'error', msg, source: 'console' });

function digest(lines: readonly string[]) {
  const digester = logDigester();
  for (const line of lines) digester.add(line);
  return digester.read();
}

test('what k6 was short of, by its log', () => {
  const { shortages } = digest([
    failed('Get "http://x/": dial tcp 127.0.0.1:1: connect: cannot assign requested address'),
    failed('Get "http://x/": dial tcp 127.0.0.1:1: connect: cannot assign requested address'),
    failed('Get "http://x/": dial tcp 127.0.0.1:1: socket: too many open files'),
    failed('Get "http://x/": dial tcp 127.0.0.1:1: connect: connection refused'),
    byScript('too many open files'),
    'fatal error: runtime: out of memory',
  ]);
  expect(shortages).toEqual([
    { of: 'ports', times: 2 },
    { of: 'open files', times: 1 },
    { of: 'memory', times: 1 },
  ]);
  expect(digest([]).shortages).toEqual([]);
});

test('of k6’s own errors the first and the last ones are kept, of complaints how often each came', () => {
  const errors = Array.from({ length: 50 }, (_, at) => JSON.stringify({ level: 'error', msg: `error ${at}` }));
  const info = JSON.stringify({ level: 'info', msg: '"level":"error"' });
  const read = digest([
    ...errors,
    byScript('mine'),
    byScript('mine'),
    info,
    JSON.stringify({ level: 'error', msg: 'test marked as failed' }),
  ]);
  expect(read.errors.map(({ message }) => message)).toEqual([
    ...Array.from({ length: 10 }, (_, at) => `error ${at}`),
    ...Array.from({ length: 9 }, (_, at) => `error ${41 + at}`),
    'test marked as failed',
  ]);
  expect(read.markedFailed).toBe(true);
  expect(digest([byScript('test marked as failed')]).markedFailed).toBe(false);
  expect(read.scriptLines).toBe(2);
  const again = digest([JSON.stringify({ level: 'error', msg: 'error 7' }), byScript('mine')]);
  expect(addComplaints([read, again])[0]).toEqual({ message: 'error 7', times: 2 });
});

test('however much is said, a digest stays small', () => {
  const digester = logDigester();
  for (let at = 0; at < 5000; at += 1) digester.add(JSON.stringify({ level: 'warning', msg: `${at}${'x'.repeat(5000)}` }));
  const { complaints } = digester.read();
  expect([complaints.size, Math.max(...[...complaints.keys()].map((message) => message.length))]).toEqual([1000, 2000]);
});

async function* pieces(text: string, sizes: readonly number[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? 7);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function batchesOf(text: string, sizes: readonly number[], beginsTorn = false): Promise<string> {
  let whole = '';
  for await (const { text: lines, isCut } of lineBatches(pieces(text, sizes), beginsTorn)) {
    expect(isCut).toBe(false);
    whole += lines;
  }
  return whole;
}

test('lines stay whole however the pieces fall; what has no end is left out', async () => {
  const lines = fc.array(
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\n', ' ')),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(lines, fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 6 }), async (all, sizes) => {
      const text = Buffer.from(all.map((line) => `${line}\n`).join('')).toString();
      expect(await batchesOf(`${text}torn`, sizes)).toBe(text);
      expect(await batchesOf(`torn\n${text}`, sizes, true)).toBe(text);
    }),
  );
});

const secret = 'tok3n-0123456789abcdef';

interface Raw {
  readonly first: string;
  readonly last?: string;
  readonly passed?: number | 'unknown';
}

async function keep({ first, last, passed }: Raw, to = '') {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [raw, kept] = [join(folder, 'raw'), join(folder, 'kept')];
  mkdirSync(raw);
  mkdirSync(kept);
  writeFileSync(join(raw, 'log'), first);
  if (last !== undefined) writeFileSync(join(raw, 'log-end'), last);
  const log = await keepLog(
    { from: raw, to: join(kept, to), redact: openRedactor(secret) },
    passed === 'unknown' ? undefined : (passed ?? last?.length ?? 0),
  );
  return { log, read: () => readFileSync(join(kept, 'log'), 'utf8') };
}

test('the copy has every line, without secrets, and with nothing that acts on a terminal', async () => {
  const line = JSON.stringify({ level: 'error', msg: `\u001b[2J\u202e ${secret} ##vso[x]`, source: 'console' });
  const { log, read } = await keep({
    first: `${line}\npanic: \u001b]0;x\u0007 ${secret}\n${byScript('torn in t')}`.slice(0, -20),
    last: 'wo\n',
  });
  expect(log).toMatchObject({ leftOut: 0, troubles: [] });
  const [first = '', second, third] = read().split('\n');
  expect(JSON.parse(first)).toEqual({ level: 'error', msg: '\u001b[2J\u202e [redacted] ##vso[x]', source: 'console' });
  expect([first.includes('\u202e'), first.includes('##vso'), second]).toEqual([false, false, 'panic: \\x1b]0;x\\x07 [redacted]']);
  expect(third).toContain('wo');
});

test('where the middle is left out, no half of a secret is kept at its edges', async () => {
  const half = secret.slice(0, 12);
  const other = secret.slice(12);
  const { log, read } = await keep({ first: `one\n${half}`, last: `${other}\nlast\n`, passed: 5_000_000 });
  expect(log.leftOut).toBe(5_000_000 - `${other}\nlast\n`.length);
  const [first, gap = '', last] = read().split('\n');
  expect([first, last]).toEqual(['one', 'last']);
  expect(JSON.parse(gap)).toEqual({ level: 'info', msg: `loadctl left out ${log.leftOut} bytes of this log here` });
  expect(read()).not.toContain(half.slice(0, 6));
});

test('where nobody counted, an end that is full is taken for what is left of more', async () => {
  const half = secret.slice(0, 12);
  const end = `${secret.slice(12)}\n${'x'.repeat(999)}\n`;
  const full = end.padEnd(logLimits.last, `${'y'.repeat(999)}\n`);
  const cut = await keep({ first: `one\n${half}`, last: full, passed: 'unknown' });
  expect(cut.log).toMatchObject({ leftOut: undefined, troubles: [] });
  expect(cut.read()).not.toContain(half.slice(0, 6));
  expect(cut.read()).toContain('loadctl left out part of this log here');
  const whole = await keep({ first: 'one\ntw', last: 'o\nthree\n', passed: 'unknown' });
  expect([whole.log.leftOut, whole.read()]).toEqual([0, 'one\ntwo\nthree\n']);
});

test('a line that is too long is cut, and no secret with it', async () => {
  for (const before of [1024 * 1024 - 10, 1024 * 1024 - 64 * 1024 - 10, 3_000_000]) {
    const { read } = await keep({ first: `${'x'.repeat(before)}${secret}${'y'.repeat(3_000_000)}\nnext\n` });
    const [long = '', next] = read().split('\n');
    expect([long.length < 1024 * 1024, long.endsWith('… (cut by loadctl)'), next]).toEqual([true, true, 'next']);
    expect(long).not.toMatch(/tok3n|abcdef/);
  }
});

test('a copy that cannot be written is told, and the log is read all the same', async () => {
  const { log } = await keep({ first: `${byScript('mine')}\n` }, 'no-such-folder');
  expect(log.troubles).toEqual([expect.stringContaining('ENOENT')]);
  expect(log.digest.scriptLines).toBe(1);
});
