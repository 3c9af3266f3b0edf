import { expect, test } from 'vitest';
import { unseenByK6 } from '../../src/k6/environment.js';

/** k6's own (lib/options.go, cmd, output): of each kind some. */
const options = ['K6_VUS', 'K6_RPS', 'K6_THRESHOLDS', 'K6_LOCAL_IPS', 'K6_SUMMARY_TIME_UNIT', 'K6_SUMMARY_TREND_STATS'];
const modules = ['K6_BROWSER_ARGS', 'K6_SECRET_SOURCE', 'K6_SECRET_SOURCE_URL_METHOD'];
const reports = [
  'K6_OUT',
  'K6_LOG_OUTPUT',
  'K6_LOG_FORMAT',
  'K6_CONSOLE_OUTPUT',
  'K6_WEB_DASHBOARD',
  'K6_LINGER',
  'K6_PROMETHEUS_RW_USERNAME',
];
const plain = ['TOKEN', 'LOADCTL_RUN', 'MY_K6_VUS'];

test('k6 hears options while it inspects, and modules always; how it starts, logs and reports is never the script’s', () => {
  const unseen = unseenByK6([...options, ...modules, ...reports, ...plain], []);
  expect(unseen).toEqual({ inspecting: reports, running: [...options, ...reports] });
});

test('of what -e gave, k6 hears nothing', () => {
  const all = [...options, ...modules, ...reports];
  expect(unseenByK6([...all, ...plain], all)).toEqual({ inspecting: all, running: all });
});
