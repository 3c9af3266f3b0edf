import { expect, test } from 'vitest';
import { asRunId } from '../../src/core/ids.js';
import { compareRuns, uncompared } from '../../src/metrics/compare/compare.js';
import type { RunNumber, RunNumbers } from '../../src/metrics/compare/numbers.js';
import { reportFiles } from '../../src/reports/index.js';
import type { Column } from '../../src/reports/result/columns.js';
import type { Result } from '../../src/reports/result/result.js';
import { injections } from './injections.js';
import { resultOf } from './report-results.js';

const { 'junit.xml': junit, 'summary.md': summaryMd, 'report.html': page } = reportFiles;

const latency = (name: string, value: number, gated = true): RunNumber => ({
  name,
  unit: 'ms',
  scale: 'ratio',
  worse: 'higher',
  gated,
  value,
});

function runOf(suffix: string, numbers: readonly RunNumber[], circumstances: Record<string, string> = {}): RunNumbers {
  const run = asRunId(`20261129-010203-${suffix}`);
  if (run === undefined) throw new Error('no id');
  return { run, environment: 'staging', startedAt: 0, workload: 'w', verdict: 'pass', circumstances, numbers };
}

/** One second of a load, with a p95 that is certain. */
function courseColumn(second: number, p95: number): Column {
  return { from: second * 1000, to: (second + 1) * 1000, values: { p95: { low: p95, mean: p95, high: p95 } } };
}

/** A new run with a p95 that is 50% worse, an average that is the same, a p99 that varies much, and a limit that is new. */
function comparedOf(isGate: boolean, name = 'own'): Result {
  const numbers = (p95: number, avg: number, p99: number) => [
    latency('p95', p95),
    latency('avg', avg),
    latency('p99', p99),
    latency(name, 5, false),
  ];
  const earlier = [numbers(100, 50, 10), numbers(101, 50.1, 90), numbers(99, 49.9, 300)].map((all, at) =>
    runOf(`old${at}`, all, { k6: '1' }),
  );
  const later = [runOf('new', [...numbers(150, 50, 20), latency('fresh', 1)], { k6: name })];
  const circumstances = [{ name: 'k6', before: ['1'], after: [name] }];
  const changes = compareRuns(later, earlier, 0.05);
  const courses = [...later, ...earlier].map(({ run }, at) => ({
    run,
    isNew: at === 0,
    columns: [courseColumn(0, 100 + at), courseColumn(1, 200 + at)],
  }));
  return {
    ...resultOf({ verdict: 'pass', criteria: [], reasons: [] }),
    compared: { changes, uncompared: uncompared(later, earlier), passedOver: 0, later, earlier, circumstances, isGate, courses },
  };
}

const cases = (text: string) =>
  [...text.matchAll(/<testcase classname="staging.compare" name="([^"]*)"[^>]*?(?:\/>|><(\w+))/g)].map(([, name, as]) => [name, as]);

test('junit.xml has a case for each number with a limit; only what is worse fails, where that was asked for', () => {
  const rest = [
    ['avg is no worse than before', undefined],
    ['p99 is no worse than before', 'skipped'],
    ['fresh is no worse than before', 'skipped'],
  ];
  expect(cases(junit(comparedOf(true)))).toEqual([['p95 is no worse than before', 'failure'], ...rest]);
  expect(cases(junit(comparedOf(false)))).toEqual([['p95 is no worse than before', 'skipped'], ...rest]);
  const text = junit(comparedOf(true));
  expect(text).toContain('<failure type="limit" message="p95: 100 ms before, 150 ms after, +50% (between +41% and +59.5%): worse">');
  expect(text).toContain('differs: k6: 1 before, own after');
  expect(cases(junit(resultOf()))).toEqual([]);
});

test('summary.md and the page show what was compared, the numbers, and what was not compared', () => {
  for (const text of [summaryMd(comparedOf(false)), page(comparedOf(false))]) {
    expect(text).toContain('WORSE  run 20261129-010203-new with 3 runs');
    expect(text).toContain('+50%');
    expect(text).toContain('not compared: fresh: no earlier run has it.');
  }
  expect(page(resultOf())).not.toContain('id="comparison"');
  expect(summaryMd(resultOf())).not.toContain('Compared');
});

test('the page lays the loads of the compared runs over each other, the new one first', () => {
  const html = page(comparedOf(false));
  const drawing = /<figure data-chart="compared-p95"[\s\S]*?<\/figure>/.exec(html)?.[0] ?? '';
  expect(drawing).toContain('new: 20261129-010203-new 100 ms to 200 ms.');
  for (const at of [0, 1, 2]) expect(drawing).toContain(`20261129-010203-old${at} ${101 + at} ms to ${201 + at} ms.`);
  expect(drawing.match(/<polyline/g)).toHaveLength(4);
  expect(html).not.toContain('data-chart="compared-requests"');
  const alone = comparedOf(false);
  const courses = alone.compared?.courses.slice(0, 1) ?? [];
  expect(page({ ...alone, ...(alone.compared && { compared: { ...alone.compared, courses } }) })).not.toContain('data-chart="compared');
});

test('a name is a text in all of them, and nothing else', () => {
  for (const name of injections) {
    const result = comparedOf(true, name);
    const [xml, markdown, html] = [junit(result), summaryMd(result), page(result)];
    for (const text of [xml, markdown]) {
      if (/[<&]/.test(name)) expect(text).not.toContain(name);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
      expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202e]/);
      expect(text).not.toMatch(/^\s*::/m);
    }
    // What follows is loadctl's own script.
    const shown = html.slice(0, html.indexOf('<script'));
    if (/[<&]/.test(name)) expect(shown).not.toContain(name);
  }
});
