import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import type { ChartData, PageData } from '../../src/reports/result/chart-data.js';
import { startPostgres } from '../servers/postgres.js';
import { type WatchedPlace, watchedPlace } from '../support/watched-run.js';
import { kept, opened } from './browser.js';

const every = 500;
/** What ordinary roles may have of 25 connections, by these settings. */
const usable = 20;
const full = ['max_connections=25', 'superuser_reserved_connections=3', 'reserved_connections=2'];

/** A run in which connections of a Postgres break their limit all the time, and CPU keeps one that no machine breaks. */
async function brokenRun(): Promise<WatchedPlace> {
  const db = await startPostgres({ settings: full });
  onTestFinished(() => db.stop());
  const at = await watchedPlace(
    `monitors:
  db: {kind: postgres, url: "${db.url}", every: ${every}ms, timeout: ${every}ms}
  me: {kind: host, here: true, every: ${every}ms, timeout: ${every}ms}
critical: {dbConnections: < 90%, cpu: max <= 100%}`,
    '17s',
    'vus: 2, steady: 2s..16s',
  );
  for (let one = 0; one < 18; one += 1) {
    const client = new pg.Client({ connectionString: db.url });
    client.on('error', () => undefined);
    await client.connect();
    onTestFinished(() => client.end().catch(() => undefined));
  }
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  // A machine that others keep busy makes it invalid, with the same chart.
  expect([99, 111], said.stdout + said.stderr).toContain(said.code);
  return at;
}

interface Held {
  readonly from: number;
  readonly to: number;
  readonly value: number;
}

/** What monitors.ndjson says of a value and until when, by the time of the load: a sample to the next one, a counter between two. */
function heldIn(at: WatchedPlace, monitor: string, released: number): Held[] {
  const lines = at.lines().filter((line) => line.monitor === monitor && line.values !== undefined);
  return lines.flatMap(({ t, values }, index) => {
    const next = lines[index + 1];
    const to = Math.min(next?.t ?? Number.POSITIVE_INFINITY, t + 2 * every) - released;
    if (monitor === 'db') return [{ from: t - released, to, value: Number(values?.connections) / usable }];
    if (next === undefined) return [];
    const grew = (field: string) => Number(next.values?.[field]) - Number(values?.[field]);
    return [{ from: t - released, to: next.t - released, value: grew('cpuBusy') / grew('cpuTotal') }];
  });
}

const short = (value: number) => Number(value.toPrecision(4));

/** The smallest and the largest value of each column of a chart, and what is so of the file. */
function compared({ x, lines }: ChartData, held: readonly Held[], endMs: number) {
  const [{ values, low = values, high = values } = { values: [] }] = lines;
  const shown = x.map((_, index) => [low[index], high[index]]);
  const kept = x.map((_, index) => {
    const [begin, end] = [index * every, Math.min(endMs, (index + 1) * every)];
    const there = held.filter(({ from, to }) => from < end && to > begin).map(({ value }) => value);
    return there.length === 0 ? [null, null] : [short(Math.min(...there)), short(Math.max(...there))];
  });
  return { shown, kept };
}

/** Rows of a canvas with so much of a colour of the page's style, from its top, as shares of its height. */
const rowsOf = (id: string, name: string, share: number) => `(() => {
  const canvas = document.querySelector('figure[data-chart="${id}"] canvas');
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('${name}');
  probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data;
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const near = (at) => data[at + 3] > 200 && [0, 1, 2].every((part) => Math.abs(data[at + part] - wanted[part]) < 40);
  const rows = [];
  for (let row = 0; row < height; row += 1) {
    let found = 0;
    for (let column = 0; column < width; column += 1) if (near(4 * (row * width + column))) found += 1;
    if (found > width * ${share}) rows.push(row / height);
  }
  return rows;
})()`;

/** What lies behind each drawing of the page. */
const behindDrawings = `[...document.querySelectorAll('svg.drawn')].map((one) => [...one.querySelectorAll('rect')].map(({ classList }) => classList[0]).join())`;

async function saidAt(page: Page, id: string, column: number): Promise<string> {
  const figure = page.locator(`figure[data-chart="${id}"]`);
  await figure.locator('.plot').focus();
  await page.keyboard.press('Home');
  for (let step = 0; step < column; step += 1) await page.keyboard.press('ArrowRight');
  return (await figure.locator('.said').textContent()) ?? '';
}

test('a server’s chart says what monitors.ndjson does, with its limit drawn in, the ramps and the breach behind it', async () => {
  const at = await brokenRun();
  const file = join(at.latestRun(), 'report.html');
  const [, packed = ''] = /id="data">([^<]*)</.exec(readFileSync(file, 'utf8')) ?? [];
  const data: PageData = JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString());
  const charts = data.charts.filter(({ title }) => title.startsWith('Servers: '));
  expect(charts.map(({ title, limits }) => [title, limits.map(({ value }) => value)])).toEqual([
    ['Servers: dbConnections < 90%', [0.9]],
    ['Servers: cpu <= 100%', [1]],
  ]);
  const released = at.told('fleet-released')[0]?.t ?? 0;
  const [connections, cpu] = charts;
  if (connections === undefined || cpu === undefined) throw new Error('no charts');
  for (const [chart, monitor] of [[connections, 'db'] as const, [cpu, 'me'] as const]) {
    const { shown, kept } = compared(chart, heldIn(at, monitor, released), Number(at.told('load-ended')[0]?.elapsedMs));
    expect(shown.length).toBeGreaterThan(30);
    expect(shown).toEqual(kept);
  }

  const [breached] = at.told('limit-breached');
  const [over] = at.told('limit-recovered');
  expect([over?.over, Number(over?.forMs) > 10_000]).toEqual([true, true]);
  expect(data.spans.map(({ kind }) => kind)).toEqual(['ramp', 'ramp', 'breach']);
  expect(data.spans.slice(0, 2).map(({ from, to }) => [from, Math.round(to)])).toEqual([
    [0, 2],
    [16, 17],
  ]);
  const breach = data.spans[2];
  expect(breach?.from).toBeCloseTo((Number(breached?.t) - Number(breached?.forMs) - released) / 1000, 3);
  expect(breach?.to).toBeCloseTo((Number(over?.t) - released) / 1000, 0);

  await opened(file, {}, async (page) => {
    const last = connections.x.length - 5;
    expect(await saidAt(page, connections.id, last)).toMatch(/^1\d(\.\d)?s, db: \S+ 95%, dbConnections < 90% was broken to the end/);
    expect(await saidAt(page, connections.id, 0)).toMatch(/^500ms, db: .*, ramp-up, not judged$/);
    const limit = await page.evaluate<number[]>(rowsOf(connections.id, '--bad', 0.3));
    const values = await page.evaluate<number[]>(rowsOf(connections.id, '--one', 0.2));
    // 95% is above the limit of 90%, and the picture has nothing else so wide.
    expect([limit.length > 0, values.length > 0, Math.max(...values) < Math.min(...limit)]).toEqual([true, true, true]);
    const drawings = await page.evaluate<string[]>(behindDrawings);
    expect(drawings).toEqual(Array.from({ length: drawings.length }, () => 'ramp,ramp,breach'));
    expect(drawings.length).toBeGreaterThan(5);
    await kept(page, 'servers');
  });
});
