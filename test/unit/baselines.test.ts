import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { asRunId } from '../../src/core/ids.js';
import type { RunNumber, RunNumbers } from '../../src/metrics/compare/numbers.js';
import { addToBaseline, readBaseline } from '../../src/phases/compare/baseline.js';

const number: RunNumber = { name: 'p95', unit: 'ms', scale: 'ratio', worse: 'higher', gated: true, value: 5, low: 4, high: 6 };
const errors: RunNumber = { name: 'errors', unit: '%', scale: 'events', worse: 'higher', gated: true, value: 0.1, of: 10 };
const clock = { sleep: (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms)) };

function runOf(at: number, more: Partial<RunNumbers> = {}): RunNumbers {
  const run = asRunId(`20261129-010203-${at}`);
  if (run === undefined) throw new Error('no id');
  const circumstances = { k6: '2.2.0' };
  return { run, environment: 'dev', startedAt: at, workload: 'w', verdict: 'pass', circumstances, numbers: [number, errors], ...more };
}

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-baseline-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'base.json');
}

test('of many that save at once each is kept, and the lock is gone', async () => {
  const file = place();
  const runs = Array.from({ length: 9 }, (_, at) => runOf(at));
  await Promise.all(runs.map((run) => addToBaseline(file, [run], clock)));
  expect(await readBaseline(file)).toEqual(runs);
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test('a lock that stays is named, and nothing is written', async () => {
  const file = place();
  writeFileSync(`${file}.lock`, '');
  const impatient = { sleep: async () => {} };
  await expect(addToBaseline(file, [runOf(1)], impatient)).rejects.toThrow(
    `Another loadctl has been writing for 10 s: ${file}.lock is there.`,
  );
  expect(existsSync(file)).toBe(false);
});

test('of each load the newest ten stay, whatever the order they are saved in', async () => {
  const file = place();
  const others = [runOf(100, { workload: 'x' }), runOf(101, { environment: 'prod' })];
  await addToBaseline(file, [...Array.from({ length: 12 }, (_, at) => runOf(20 - at)), ...others], clock);
  expect((await readBaseline(file))?.map(({ startedAt }) => startedAt)).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 100, 101]);
});

test('a link stays a link, and what is read-only is not written', async () => {
  const file = place();
  const link = `${file}.link`;
  await addToBaseline(file, [runOf(1)], clock);
  symlinkSync(file, link);
  await addToBaseline(link, [runOf(2)], clock);
  expect((await readBaseline(file))?.length).toBe(2);
  chmodSync(file, 0o444);
  const before = readFileSync(file, 'utf8');
  await expect(addToBaseline(file, [runOf(3)], clock)).rejects.toThrow(`${file} cannot be written: it is read-only`);
  expect(readFileSync(file, 'utf8')).toBe(before);
});

const spoilt = (of: Partial<RunNumber>, base = number) => ({ numbers: [{ ...base, ...of } as RunNumber] });

test.each<[string, object]>([
  ['run is not the id of a run', { run: 'a/b' }],
  ['startedAt is not a time', { startedAt: 1e300 }],
  ['commit is not a text', { commit: {} }],
  ['workload is not a text', { workload: 5 }],
  ['verdict is neither pass nor fail', { verdict: 'invalid' }],
  ['circumstances.k6 is not a text', { circumstances: { k6: {} } }],
  ['limitsBeside.0 is not a text', { limitsBeside: [1] }],
  ['numbers.0: value is not a number', { numbers: [{ ...number, value: null }] }],
  ['numbers: p95: scale is neither ratio nor events', spoilt({ scale: 'log' as never })],
  ['numbers: p95: unit is none', spoilt({ unit: '<b>' as never })],
  ['numbers: p95: worse is neither higher nor lower', spoilt({ worse: 'up' as never })],
  ['numbers: p95: gated is neither true nor false', spoilt({ gated: 'no' as never })],
  ['numbers: p95: its value is not between its bounds', spoilt({ low: 9, high: 1 })],
  ['numbers: p95: its value is not between its bounds', spoilt({ value: -5 })],
  ['numbers: errors: its value is not a share', spoilt({ value: 7 }, errors)],
  ['numbers: errors: of is not a count', spoilt({ of: 0 }, errors)],
  ['numbers: p95 is there twice', { numbers: [number, number] }],
])('a baseline is refused where %s', async (why, more) => {
  const file = place();
  writeFileSync(file, JSON.stringify({ version: 1, runs: [runOf(1), { ...runOf(2), ...more }] }));
  await expect(readBaseline(file)).rejects.toThrow(`${file} is not a baseline: runs.1: ${why}`);
});

test.each([
  ['', 'Unexpected end of JSON input'],
  ['{"version":1,"runs":[1e999', 'Expected'],
  ['{"version":1}', 'runs is missing'],
  ['{"version":2,"runs":[]}', 'its version is 2, and this loadctl reads 1'],
  ['[]', 'it is not an object'],
  ['{"version":1,"runs":[null]}', 'runs.0: it is not an object'],
])('a file that is none is refused: %s', async (text, why) => {
  const file = place();
  writeFileSync(file, text);
  await expect(readBaseline(file)).rejects.toThrow(why);
});
