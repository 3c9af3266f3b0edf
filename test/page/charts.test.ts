import { readFileSync, statSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { page } from '../../src/reports/page/index.js';
import type { Result } from '../../src/reports/result/result.js';
import { workplace } from '../support/loadctl.js';
import { madeUpCourse } from '../unit/report-courses.js';
import { resultOf } from '../unit/report-results.js';
import { kept, look, opened } from './browser.js';

/** A result of a load that is made up, with these endpoints in its summary. */
function madeUp(seconds: number, names: readonly string[], result: Result = resultOf()): Result {
  const { judged, ...rest } = result;
  if (judged?.summary === undefined) throw new Error('a result without numbers');
  const metrics = Object.entries(judged.summary.metrics);
  const named = metrics.filter(([key]) => key.includes('name:'));
  const many = names.flatMap((name) => named.map(([key, metric]) => [key.replace(/name:"[^"]*"/, `name:${JSON.stringify(name)}`), metric]));
  const summary = { ...judged.summary, metrics: Object.fromEntries([...metrics, ...many]) };
  return { ...rest, judged: { ...judged, summary }, course: madeUpCourse({ seconds, names: names.slice(0, 30) }) };
}

const paths = (count: number) => Array.from({ length: count }, (_, index) => `GET /path/${index}`);
const write = (result: Result) => workplace().file('page.html', page(result));

/** Whether something is drawn on every canvas that is to be seen. */
const drawn = `[...document.querySelectorAll('.plot canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.some((part) => part > 0);
})`;

/** How much areas of drawings cover what is behind them, and the lines before them. */
const filled = `[...document.querySelectorAll('svg.drawn rect, svg.drawn polygon')].map((one) => getComputedStyle(one).fillOpacity)`;

const figure = (at: Page, id: string) => at.locator(`figure[data-chart="${id}"]`);
const plot = (at: Page, id: string) => figure(at, id).locator('.plot');
const said = (at: Page, id: string) => figure(at, id).locator('.said').textContent();
const shows = (of: Locator) => of.getAttribute('data-shows');

test('charts draw; hover and keys show values in all of them at once; zoom is shared', async () => {
  const file = write(madeUp(120, ['GET /', 'اسم عربي']));
  await opened(file, {}, async (at, { complaints, requests }) => {
    const canvases = await at.evaluate<boolean[]>(drawn);
    expect([canvases.length, canvases.every(Boolean)]).toEqual([6, true]);
    const ids = ['load', 'latency', 'heat', 'errors', 'generators'];

    await plot(at, 'latency').focus();
    for (let times = 0; times < 3; times += 1) await at.keyboard.press('ArrowRight');
    expect(await said(at, 'latency')).toMatch(/^3s, p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms, ramp-up, not judged$/);
    expect(await plot(at, 'latency').getAttribute('aria-valuetext')).toBe(await said(at, 'latency'));
    expect(await said(at, 'load')).toMatch(/^3s, requests\/s 103\/s, VUs 3, ramp-up, not judged$/);
    expect(await said(at, 'heat')).toMatch(/^10s, p50 .* \([\d.]+ ms to [\d.]+ ms\), .* requests, most of them /);
    await at.keyboard.press('End');
    expect(await said(at, 'errors')).toMatch(/^2m, status 503 1\/s, ramp-down, not judged$/);

    await plot(at, 'load').scrollIntoViewIfNeeded();
    const box = (await plot(at, 'load').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await at.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const hovered = await Promise.all(ids.map((id) => said(at, id)));
    expect(hovered.map((text) => /^(5\d|60)s, |^1m/.test(text ?? ''))).toEqual(ids.map(() => true));

    const spans = () => Promise.all(ids.map((id) => shows(plot(at, id))));
    expect(await spans()).toEqual(ids.map(() => '0s–2m'));
    await at.mouse.down();
    await at.mouse.move(box.x + box.width / 2 + 100, box.y + box.height / 2, { steps: 4 });
    await at.mouse.up();
    const zoomed = await spans();
    expect([new Set(zoomed).size, zoomed[0] === '0s–2m']).toEqual([1, false]);
    await plot(at, 'latency').focus();
    await at.keyboard.press('-');
    expect(new Set(await spans()).size).toBe(1);
    await at.keyboard.press('Escape');
    expect(await spans()).toEqual(ids.map(() => '0s–2m'));

    await at.locator('summary', { hasText: 'اسم عربي' }).first().click();
    // What is unfolded is drawn when the browser says so.
    await expect.poll(async () => (await at.evaluate<boolean[]>(drawn)).length).toBe(8);
    // Chromium gives advice about how this test reads pixels.
    expect([complaints.filter((text) => !text.includes('willReadFrequently')), requests.length]).toEqual([[], 1]);
  });
});

test('on paper, drawings stand for charts, and every table is unfolded', async () => {
  const file = write(madeUp(120, ['GET /']));
  await opened(file, {}, async (at) => {
    const seen = () => Promise.all([plot(at, 'load').isVisible(), figure(at, 'load').locator('svg.drawn').first().isVisible()]);
    expect(await seen()).toEqual([true, false]);
    await at.emulateMedia({ media: 'print' });
    expect(await seen()).toEqual([false, true]);
    expect(await at.locator('.csv').first().isVisible()).toBe(false);
    // What is folded on a screen is not on paper.
    expect(await at.locator('details table').first().isVisible()).toBe(true);
    await kept(at, 'print');
  });
  await opened(file, { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true }, (at) => kept(at, 'phone'));
});

test('where a CI takes styles and scripts away, nothing in a drawing hides its lines', async () => {
  const styled = readFileSync(write(madeUp(120, ['GET /'])), 'utf8');
  const file = workplace().file('bare.html', styled.replaceAll(/<style>[\s\S]*?<\/style>|<script[\s\S]*?<\/script>/g, ''));
  await opened(file, { javaScriptEnabled: false }, async (at) => {
    const fills = await at.evaluate<string[]>(filled);
    expect([fills.length > 10, fills.filter((opacity) => Number(opacity) > 0.2)]).toEqual([true, []]);
    await kept(at, 'bare');
  });
});

test('a table comes as CSV with exact numbers, and no cell of it is a formula', async () => {
  const name = '=HYPERLINK("http://127.0.0.1:9","x")';
  const file = write(madeUp(20, ['GET /', name]));
  await opened(file, {}, async (at, { complaints, requests }) => {
    const tables = await at.locator('table').count();
    expect(await at.locator('.csv').count()).toBe(tables);
    const coming = at.waitForEvent('download');
    await at.locator('button[aria-label^="Download as CSV: Requests of the judged window, by name"]').click();
    const text = readFileSync(await (await coming).path(), 'utf8');
    expect(text.startsWith('\ufeff"endpoint","requests","req/s"')).toBe(true);
    expect(text).toContain(`"'=HYPERLINK(""http://127.0.0.1:9"",""x"")"`);
    expect([complaints, requests.filter((url) => !url.startsWith('blob:')).length]).toEqual([[], 1]);
  });
});

test('30 endpoints and 30 minutes stay below 600 kB; 8 hours too, with their peak', async () => {
  for (const seconds of [1800, 28_800]) {
    const file = write(madeUp(seconds, paths(30)));
    expect(statSync(file).size).toBeLessThan(600_000);
    const { complaints, violations, text } = await look(file);
    expect([complaints, violations, text.includes('GET /path/29')]).toEqual([[], [], true]);
  }
});

test('500 endpoints are all there, without a script too, and axe-core is content with every row', { timeout: 300_000 }, async () => {
  const file = write(madeUp(1800, paths(500)));
  expect(statSync(file).size).toBeLessThan(1_500_000);
  const seen = await look(file, { javaScriptEnabled: false });
  expect(paths(500).filter((name) => !seen.text.includes(name))).toEqual([]);
  expect(await look(file)).toMatchObject({ complaints: [], violations: [], overflow: 0 });
});

test('an invalid run says why, in light and dark', async () => {
  const invalid = resultOf({ verdict: 'invalid', reasons: ['Runner 1 was lost: killed.'], criteria: [] });
  const file = write(madeUp(30, ['GET /'], { ...invalid, reasons: ['result-invalid'] }));
  for (const colorScheme of ['light', 'dark'] as const) {
    const { violations, complaints, text } = await look(file, { colorScheme });
    expect([violations, complaints]).toEqual([[], []]);
    for (const part of ['INVALID', 'exit 111', 'Runner 1 was lost: killed.']) expect(text).toContain(part);
  }
});
