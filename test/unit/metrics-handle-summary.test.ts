import { describe, expect, it } from 'vitest';
import { handleSummaryData, trendStatsOf } from '../../src/metrics/handle-summary.js';
import type { Summary, SummaryMetric } from '../../src/metrics/summary.js';
import { runId } from '../support/ids.js';

const metric = (type: SummaryMetric['type'], values: Record<string, number>, bounds: SummaryMetric['bounds'] = {}): SummaryMetric => ({
  type,
  contains: 'default',
  values,
  bounds,
});

const metrics: Record<string, SummaryMetric> = {
  data_sent: metric('counter', { count: 0, rate: 0 }),
  checks: metric('rate', { passes: 0, fails: 0 }),
  'checks{part:steady}': metric('rate', { passes: 0, fails: 0 }),
  http_reqs: metric('counter', { count: 0, rate: 0 }),
  'http_reqs{part:steady}': metric('counter', { count: 0, rate: 0 }),
  http_req_duration: metric('trend', { count: 9, avg: 4, med: 3, 'p(95)': 8, min: 1 }, { 'p(95)': [7, 9] }),
  'http_req_duration{expected_response:true}': metric('trend', { count: 9, avg: 4 }),
  'http_req_duration{part:steady}': metric('trend', { count: 9, avg: 4 }),
  'http_req_duration{name:a}': metric('trend', { count: 0 }),
  errors: metric('counter', { count: 0, rate: 0 }),
  depth: metric('gauge', { value: 3, min: 1, max: 4 }),
  loadctl_begin: metric('gauge', { value: 3, min: 1, max: 4 }),
};

const summary: Summary = {
  version: 1,
  run: runId('r'),
  k6Version: '2.2.0',
  durationMs: 1234.5,
  runners: 2,
  metrics,
  rootGroup: { name: '', path: '', id: 'd4', groups: [], checks: [] },
};

const thresholds = { http_req_duration: ['p(95)<10', 'p(95)<8', 'max<1'], 'http_req_duration{ name:a }': ['avg<9'], errors: ['count<1'] };
const handing = { options: { thresholds }, setupData: undefined, terminal: { stdout: true, stderr: false } };

describe('what a handleSummary is handed', () => {
  it('is what one k6 would show: no metrics of our own', () => {
    expect(Object.keys(handleSummaryData(summary, handing).metrics)).toEqual([
      'data_sent',
      'http_req_duration',
      'http_req_duration{expected_response:true}',
      'http_req_duration{name:a}',
      'errors',
      'depth',
    ]);
  });

  it('or what a predicate shows', () => {
    const data = handleSummaryData(summary, { ...handing, isShown: (key) => key === 'http_reqs' });
    expect(data.metrics).toEqual({ http_reqs: { type: 'counter', contains: 'default', values: { count: 0, rate: 0 } } });
  });

  it('has the values under the keys of the user, zeros without samples, null for what is infinite', () => {
    const options = { thresholds, summaryTrendStats: ['count', 'p(95.0)', 'max'] };
    const { metrics: handed } = handleSummaryData(summary, { ...handing, options });
    expect(handed.http_req_duration?.values).toEqual({ count: 9, 'p(95.0)': 8, max: null });
    expect(handed['http_req_duration{name:a}']?.values).toEqual({ count: 0, 'p(95.0)': 0, max: 0 });
    expect(handed.depth?.values).toEqual({ value: 3, min: 1, max: 4 });
  });

  it('says which thresholds certainly hold', () => {
    const { metrics: handed } = handleSummaryData(summary, handing);
    expect(handed.http_req_duration?.thresholds).toEqual({ 'p(95)<10': { ok: true }, 'p(95)<8': { ok: false }, 'max<1': { ok: false } });
    expect(handed['http_req_duration{name:a}']?.thresholds).toEqual({ 'avg<9': { ok: false } });
    expect(handed.errors?.thresholds).toEqual({ 'count<1': { ok: true } });
    expect(handed.depth).not.toHaveProperty('thresholds');
  });

  it('carries options, state and setup data', () => {
    const data = handleSummaryData(summary, { ...handing, setupData: { a: 1 }, noColor: true });
    expect(data).toMatchObject({
      options: { summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)'], summaryTimeUnit: '', noColor: true },
      state: { isStdOutTTY: true, isStdErrTTY: false, testRunDurationMs: 1234.5 },
      root_group: summary.rootGroup,
      setup_data: { a: 1 },
    });
    expect(handleSummaryData(summary, handing)).not.toHaveProperty('setup_data');
  });
});

it("the stats of a summary are the script's own, else those of k6", () => {
  expect(trendStatsOf({ summaryTrendStats: ['avg', 'p(99.90)'] })).toEqual(['avg', 'p(99.90)']);
  expect(trendStatsOf({ summaryTrendStats: [] })).toHaveLength(6);
  expect(trendStatsOf({ summaryTrendStats: null })).toHaveLength(6);
});
