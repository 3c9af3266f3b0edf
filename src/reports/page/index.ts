import { createHash } from 'node:crypto';
import type { PageData } from '../result/chart-data.js';
import { type Markup, markup } from '../result/markup.js';
import type { Result } from '../result/result.js';
import { headWord } from '../result/words.js';
import { chartsSection } from './charts.js';
import { comparisonSection } from './compared.js';
import { dataSection } from './data.js';
import { runnersSection, storySection, validitySection } from './fleet.js';
import { checksSection, endpointsSection, metricsSection } from './numbers.js';
import { packed, pageScript } from './script.js';
import { spansOf } from './spans.js';
import { style } from './style.js';
import { criteriaSection, verdictHead } from './verdict.js';
import { whatRanSection } from './what-ran.js';

/**
 * report.html: one file that asks for nothing, opens from disk, and says all in plain HTML; its script only draws what stands
 * there. Its own policy forbids whatever is not its style and that script.
 */
export function page(result: Result): string {
  const title = `${headWord(result)}: loadctl ${result.environment}${result.judged === undefined ? '' : `, run ${result.judged.verdict.run}`}`;
  const { content, data } = body(result);
  const script = data === undefined ? undefined : pageScript();
  const styles = [style, ...(script === undefined ? [] : [script.style])];
  const policy = [
    `default-src 'none'`,
    `style-src ${styles.map(hashOf).join(' ')}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script.code)}`]),
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  const head = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
<title>${title}</title>
`;
  // Styles and the script are loadctl's own, and the data is base64: no other text may stand in there.
  const code =
    script === undefined || data === undefined
      ? ''
      : `<script type="application/gzip" id="data">${packed(data)}</script>\n<script>${script.code}</script>\n`;
  return `${head}${styles.map((one) => `<style>${one}</style>`).join('\n')}${markup`</head>
<body><main>
${verdictHead(result)}${content}</main>
`}${code}</body></html>\n`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function body(result: Result): { readonly content: Markup; readonly data?: PageData } {
  const { judged, receipt, course } = result;
  if (judged === undefined) return { content: markup`${dataSection(receipt)}` };
  const time = course === undefined ? undefined : chartsSection(judged, course);
  const endpoints = endpointsSection(judged, course);
  const compared = comparisonSection(result);
  const content = markup`${criteriaSection(judged)}${compared.section}${validitySection(judged, course)}${time?.section}${endpoints.section}${checksSection(judged)}${metricsSection(judged)}${runnersSection(course)}${storySection(course)}${dataSection(receipt)}${whatRanSection(judged)}`;
  const charts = [...compared.charts, ...(time?.charts ?? []), ...endpoints.charts];
  return { content, data: { endSeconds: (course?.endMs ?? 0) / 1000, spans: course === undefined ? [] : spansOf(judged, course), charts } };
}
