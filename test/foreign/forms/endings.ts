import type { Form } from '../form.js';

/** setup() and teardown(), and every place where a script may throw, abort or fail a test. */
export const endings: readonly Form[] = [
  { script: 'setup-data.js', ends: 0 },
  { script: 'async-setup.js', ends: 0 },
  { script: 'no-setup.js', ends: 0 },
  { script: 'setup-throws.js', ends: 107, uncounted: 'metrics' },
  { script: 'setup-throws-summary.js', ends: 107 },
  {
    script: 'setup-too-long.js',
    ends: 100,
  },
  { script: 'teardown-throws.js', ends: 107 },
  {
    script: 'teardown-too-long.js',
    ends: 101,
  },
  { script: 'iterations-throw.js', ends: 0 },
  { script: 'rejected-promises.js', ends: 0 },
  { script: 'init-throws.js', ends: 107 },
  { script: 'vu-init-throws.js', ends: 107 },
  { script: 'abort-in-iteration.js', ends: 108, uncounted: 'metrics and requests' },
  { script: 'abort-in-setup.js', ends: 108 },
  { script: 'abort-in-init.js', ends: 108 },
  { script: 'marked-failed.js', ends: 110 },
  { script: 'missing-exec.js', ends: 104 },
  { script: 'talkative.js', ends: 0, talk: true, tells: [/\.loadctl\/runs\/\S+\/runners\/\S*log\b/] },
  { script: 'groups-and-checks.js', as: 'what failed', ends: 0, tells: [/odd rounds/] },
];
