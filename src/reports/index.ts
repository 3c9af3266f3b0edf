import { junit } from './junit.js';
import { k6Summary } from './k6-summary.js';
import { page } from './page/index.js';
import type { Result } from './result/result.js';
import { summaryMarkdown } from './summary-markdown.js';

/** The files of `--report-dir`, by their names, which are stable; undefined is not a file. To add one: its writer, and its line here. */
export const reportFiles = {
  'report.html': page,
  'junit.xml': junit,
  'summary.md': summaryMarkdown,
  'k6-summary.json': k6Summary,
} satisfies Record<string, (result: Result) => string | undefined>;
