import type { Form } from '../form.js';

/** What a script makes of its summary. */
export const summaries: readonly Form[] = [
  { script: 'summary-files.js', ends: 99 },
  { script: 'summary-stats.js', ends: 0 },
  { script: 'summary-keys.js', ends: 0 },
  { script: 'summary-async.js', ends: 0, tells: [/to the other one/] },
  { script: 'summary-throws.js', ends: 0, tells: [/cannot sum up/] },
  { script: 'summary-nothing.js', ends: 0 },
  { script: 'summary-text.js', ends: 0, uncounted: 'metrics', tells: [/should return a map with string keys/] },
  { script: 'summary-posts.js', ends: 0 },
  { script: 'summary-talks.js', ends: 0, tells: [/summed up 4/] },
  { script: 'summary-colours.js', as: 'without colours', ends: 0, flags: ['--no-color'] },
  { script: 'summary-too-long.js', ends: 0, uncounted: 'metrics', tells: [/500 ?ms|0\.5 ?s/] },
];
