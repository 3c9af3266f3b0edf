import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type MonitorValue, monitorValues } from '../../src/metrics/servers/values.js';
import { asksOf } from '../../src/monitors/prometheus/pods.js';
import { load, planHere } from './profile-files.js';

const page = readFileSync(new URL('../../docs/monitors.md', import.meta.url), 'utf8');

/** The section of a kind. */
function sectionOf(kind: string): string {
  const [, section = ''] = page.split(`\n## ${kind}\n`);
  return section.split('\n## ')[0] ?? '';
}

/** The first block of a text that is indented as an example. */
function exampleIn(text: string): string {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.startsWith('    '));
  const after = lines.slice(from).findIndex((line) => line !== '' && !line.startsWith('    '));
  return lines
    .slice(from, from + after)
    .map((line) => line.slice(4))
    .join('\n');
}

const head = 'target: {url: http://127.0.0.1:8080}\nworkload: {script: k6.ts, vus: 1, duration: 10m}\n';
const stores =
  'stores: {db: {kind: postgres, url: "postgres://127.0.0.1/shop", replica: "postgres://127.0.0.1:5433/shop"}, cache: {kind: redis, url: redis://127.0.0.1}}\n';
const env = { DB_PASSWORD: 'pass-of-db', STATS_PASSWORD: 'pass-of-stats', PROM_TOKEN: 'token-of-prom' };

/** Value, unit and usual statistic of the rows of a section's table of values; a row may be about several values. */
function rowsOf(section: string): string[] {
  const [, table = ''] = section.split('| value | unit | usual statistic | source |\n|---|---|---|---|\n');
  const rows = table.split('\n').slice(
    0,
    table.split('\n').findIndex((line) => !line.startsWith('|')),
  );
  return rows.flatMap((row) => {
    const [names = '', unit = '', stat = '', source = ''] = row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    expect(source, row).not.toBe('');
    return [...names.matchAll(/`(\w+)`/g)].map(([, name]) => `${name} | ${unit} | ${stat}`);
  });
}

const units = { ms: 'time', '%': '%', '/s': '/s', B: 'size', '': '' } as const;
const stats = { avg: 'average', max: 'max', min: 'min' } as const;

function inWords(kind: string, [name, { unit, stat, reading }]: [string, MonitorValue]): string {
  const usual = reading.from === 'growth' ? 'total' : reading.from === 'drain' ? '' : stats[stat];
  return `${name} | ${kind === 'prometheus' && name === 'value' ? 'by `unit`' : units[unit]} | ${usual}`;
}

describe.each(Object.entries(monitorValues))('the page on %s', (kind, values) => {
  test('has every value with its unit and its usual statistic', () => {
    expect(rowsOf(sectionOf(kind)).sort()).toEqual(
      Object.entries(values)
        .map((entry) => inWords(kind, entry))
        .sort(),
    );
  });

  test('has an example that is a profile without a warning', () => {
    const plan = planHere(load({ 'test.yaml': `${head}${stores}${exampleIn(sectionOf(kind))}\n` }, { env }));
    expect(plan.judgedMonitors.some((monitor) => monitor.kind === kind)).toBe(true);
    expect(plan.warnings).toEqual([]);
  });
});

test('the example at the top is a profile with a monitor of every kind', () => {
  const plan = planHere(load({ 'test.yaml': `${head}${exampleIn(page).replace(', …]', ']')}\n` }, { env }));
  expect(new Set(plan.judgedMonitors.map(({ kind }) => kind))).toEqual(new Set(Object.keys(monitorValues)));
});

test('the page has the PromQL that the preset for pods asks for', () => {
  const [, block = ''] = page.split('asks for\n\n');
  const said = (block.split('\n\n')[0] ?? '')
    .replaceAll(/\n +\/ /g, ' / ')
    .split('\n')
    .map((line) => line.trim().replace(/ +/, ' '));
  const { monitors } = planHere(
    load({ 'test.yaml': `${head}monitors: {app: {kind: prometheus, url: http://127.0.0.1:9, pods: {namespace: shop, name: app-.*}}}\n` }),
  );
  const [app] = monitors;
  if (app?.kind !== 'prometheus') throw new Error('the plan has no such monitor');
  expect(said).toEqual(asksOf(app).map(({ value, query }) => `${value} ${query}`));
});

test('the page names for each word all the kinds that give it, and its usual statistic', () => {
  const kinds = Object.entries<Readonly<Record<string, MonitorValue>>>(monitorValues);
  const [, table = ''] = page.split('| word | measured by | statistic |\n|---|---|---|\n');
  const said = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `(\w+)` \| (.*) \| (\w+) \|$/gm)].map(([, word = '', by = '', usual]) => ({
    word,
    usual,
    by: kinds.flatMap(([kind]) => (by.includes(`\`${kind}\``) ? [kind] : [])),
  }));
  const words = new Set(kinds.flatMap(([, values]) => Object.values(values).flatMap(({ word }) => word ?? [])));
  const givers = (word: string) =>
    kinds.filter(([kind, values]) => kind === 'prometheus' || Object.values(values).some((one) => one.word === word));
  expect(said).toEqual(
    [...words]
      .map((word) => ({ word, usual: word === 'cpu' ? 'average' : 'max', by: givers(word).map(([kind]) => kind) }))
      .sort((a, b) => said.findIndex((one) => one.word === a.word) - said.findIndex((one) => one.word === b.word)),
  );
  for (const [, values] of kinds)
    for (const { word, stat } of Object.values(values)) if (word !== undefined) expect(stat).toBe(word === 'cpu' ? 'avg' : 'max');
});
