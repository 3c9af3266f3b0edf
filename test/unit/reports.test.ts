import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { type DefaultTreeAdapterTypes, parse, parseFragment } from 'parse5';
import { describe, expect, test } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import type { JudgedCriterion } from '../../src/core/verdict.js';
import { csvOf } from '../../src/page/csv.js';
import { jsonSchemas } from '../../src/reporters/schemas/index.js';
import { annotations } from '../../src/reports/annotations.js';
import { reportFiles } from '../../src/reports/index.js';
import { columnFold } from '../../src/reports/result/columns.js';
import { eventCourse } from '../../src/reports/result/course.js';
import type { Result } from '../../src/reports/result/result.js';
import { injections } from './injections.js';
import { madeUpCourse, madeUpSeconds, madeUpStretches, peak } from './report-courses.js';
import { broken, resultOf } from './report-results.js';

const { 'junit.xml': junit, 'summary.md': summaryMd, 'k6-summary.json': k6Summary } = reportFiles;

/** The attributes and the text of every element of this name, as another parser than ours reads them. */
function elements(text: string, name: string): { attributes: Record<string, string>; text: string }[] {
  const found: { attributes: Record<string, string>; text: string }[] = [];
  const visit = (node: DefaultTreeAdapterTypes.ChildNode) => {
    if ('attrs' in node && node.tagName === name)
      found.push({
        attributes: Object.fromEntries(node.attrs.map((attribute) => [attribute.name, attribute.value])),
        text: node.childNodes.map((child) => ('value' in child ? child.value : '')).join(''),
      });
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  parseFragment(text.replace(/\/>/g, ' ></testcase>')).childNodes.forEach(visit);
  return found;
}

const cases = (result: Result) => elements(junit(result), 'testcase').map(({ attributes }) => attributes.name);

describe('junit.xml', () => {
  test('a broken limit is a failure with its text inside, the bounds, the window and its line in the profile', () => {
    const text = junit(resultOf());
    expect(elements(text, 'failure')).toEqual([
      {
        attributes: { type: 'limit', message: 'p95 613 ms (611–614) (limit < 500 ms): fail' },
        text: 'p95 613 ms (611–614) (limit < 500 ms): fail\njudged: steady 5s–45s\nlimit: profiles/staging.yaml:12',
      },
    ]);
    expect(elements(text, 'testsuite')[0]?.attributes).toEqual({
      name: 'loadctl staging',
      tests: '4',
      failures: '1',
      errors: '0',
      skipped: '0',
      time: '50.000',
      timestamp: '2026-11-28T17:22:23',
    });
    expect(text).toContain('<testcase classname="staging.client" name="p95 &lt; 500 ms" time="40.000"><failure');
  });

  test('the same cases whatever came out: what is invalid is an error, what failed beside all limits a failure', () => {
    const held: JudgedCriterion = { ...broken, actual: 9, low: 9, high: 9, outcome: 'pass' };
    const kinds = (result: Result) => (['failure', 'error', 'skipped'] as const).map((as) => elements(junit(result), as).length);
    const names = ['p95 < 500 ms', 'nothing else failed the run', 'the result is valid', 'loadctl came to its end'];
    const results = [
      resultOf({ verdict: 'pass', reasons: [], criteria: [held] }),
      resultOf(),
      resultOf({ criteria: [held], reasons: ['The script called test.fail().'] }),
      resultOf({ verdict: 'invalid', criteria: [held], reasons: ['Runner 1 was lost.'] }),
      resultOf({ verdict: 'interrupted', reasons: ['Ctrl-C'] }),
      resultOf({ verdict: 'pass', criteria: [{ ...held, source: 'server', actual: null, outcome: 'not-measured' }] }),
    ];
    expect(results.map(cases)).toEqual(results.map(() => names));
    expect(results.map(kinds)).toEqual([
      [0, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
  });

  test('a command without a run, and a cleanup that is not proven', () => {
    const refused: Result = {
      environment: 'staging',
      errors: [{ code: 'unavailable', message: 'The target is down.', hint: 'Start it.' }],
      reasons: ['unavailable'],
    };
    expect(elements(junit(refused), 'error').map(({ text }) => text)).toEqual(['The target is down.\nStart it.']);
    const left = { kind: 'left', store: 'db', shard: null, what: 'users', count: 3, why: 'a trigger', command: 'loadctl cleanup' } as const;
    const receipt = { version: 2, proven: false, dryRun: false, lines: [left], rows: [], keys: [] };
    const result: Result = { ...resultOf(), receipt: JSON.parse(JSON.stringify(receipt)) };
    expect(cases(result)).toContain('the test data is removed');
    expect(elements(junit(result), 'failure')[1]?.text).toBe(
      'NOT PROVEN: test data may remain\nleft: 3 of users; a trigger; loadctl cleanup',
    );
  });

  test('equal names are told apart, also where they are equal only as they are shown', () => {
    const names = cases(resultOf({ criteria: [broken, broken, { ...broken, name: 'p\u0007' }, { ...broken, name: 'p\\x07' }] }));
    expect(names.slice(0, 4)).toEqual(['p95 < 500 ms', 'p95 < 500 ms (2)', 'p\\x07 < 500 ms', 'p\\x07 < 500 ms (2)']);
  });
});

test('k6-summary.json has what GitLab reads by name, thresholds as k6 exports them, groups and checks by name', () => {
  const read = JSON.parse(k6Summary(resultOf()) ?? '');
  expect([
    read.metrics.http_reqs.rate,
    read.metrics.http_req_waiting['p(90)'],
    read.metrics.http_req_waiting['p(95)'],
    read.metrics.checks.passes,
    read.metrics.checks.fails,
  ]).toEqual([80, 400, 612.5, 3000, 1000]);
  expect(read.metrics.http_req_failed).toEqual({ passes: 1000, fails: 3000, value: 0.25 });
  expect(read.metrics.http_req_duration.thresholds).toEqual({ 'p(95)<500': true, 'p(95)<900': false });
  expect(read.root_group.checks['GET /events'].fails).toBe(1000);
  expect(Object.keys(read.root_group.groups)).toEqual(['cart']);
  expect(k6Summary({ environment: 'staging', errors: [], reasons: [] })).toBeUndefined();
});

describe('GitHub', () => {
  test('a broken limit is said at its line; nothing for a pass', () => {
    const lines = annotations(resultOf(), (file) => `sub/${file}`);
    expect(lines).toBe(
      '::error file=sub/profiles/staging.yaml,line=12,title=loadctl staging%3A FAIL::p95 < 500 ms: 613 ms (611–614), steady 5s–45s\n',
    );
    expect(annotations(resultOf({ verdict: 'pass', reasons: [], criteria: [] }), String)).toBe('');
  });

  test('at most nine, and one that says how many more', () => {
    const lines = annotations(resultOf({ criteria: Array.from({ length: 30 }, () => broken) }), String)
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toContain('::21 more');
  });

  test('a summary of very many names stays below 60 kB, and says what it leaves out', () => {
    const many = resultOf({
      reasons: Array.from({ length: 500 }, (_, index) => `reason ${index} ${'x'.repeat(400)}`),
      criteria: Array.from({ length: 500 }, (_, index) => ({ ...broken, name: `http_req_duration{name:${index}} p(95)` })),
    });
    const text = summaryMd(many);
    expect(Buffer.byteLength(text)).toBeLessThan(60_000);
    expect(text).toContain('and 480 more');
    expect(text).toContain('Shortened');
  });
});

test('a breach lies where values broke the limit, not where it was told; one without an end lasts as long as the load', () => {
  const limit = {
    name: 'p95',
    source: 'client',
    metric: 'http_req_duration',
    stat: 'p(95)',
    operator: '<',
    limit: 500,
    unit: 'ms',
    window: 'steady',
  } as const;
  const actual = { value: 900, low: 900, high: 900 };
  const event = (t: number, type: string, forMs: number, of: object = limit) => ({ at: t, t, type, forMs, limit: of, actual });
  // It was broken from 20 s to 50 s of the load, which began at 3 s: told 10 s later, both.
  const events = JSON.parse(
    JSON.stringify([
      event(33_000, 'limit-breached', 10_000),
      event(60_000, 'limit-breached', 10_000, { ...limit, name: 'p99' }),
      event(63_000, 'limit-recovered', 30_000),
    ]),
  );
  const { marks } = eventCourse(events, { from: 3000, to: 103_000 });
  expect(marks.map(({ from, to }) => [from, to])).toEqual([
    [20_000, 50_000],
    [47_000, 100_000],
  ]);
  expect(marks.map(({ text }) => /holds again|is broken/.exec(text)?.[0])).toEqual(['holds again', 'is broken']);
});

describe('a long load', () => {
  const load = { seconds: 28_800, names: ['GET /', 'GET /b'], peakAt: 12_345 };

  test('8 hours are 2,000 columns at most, no peak of them is lost, and percentiles are not averaged', () => {
    const { columns, failed } = madeUpCourse(load).seconds;
    expect([columns.length <= 2000, columns.length > 1000, columns[0]?.from, columns.at(-1)?.to]).toEqual([true, true, 0, 28_800_000]);
    const spreads = (name: string) => columns.flatMap(({ from, to, values }) => (values[name] ? [{ ms: to - from, ...values[name] }] : []));
    expect(Math.max(...spreads('requestsPerSecond').map(({ high }) => high))).toBe(peak);
    const lines = [...madeUpSeconds(load)];
    const sum = lines.reduce((total, line) => total + line.requestsPerSecond, 0);
    expect(spreads('requestsPerSecond').reduce((total, { mean, ms }) => total + (mean * ms) / 1000, 0)).toBeCloseTo(sum, 3);
    expect(spreads('p95').every(({ mean, high }) => mean === high)).toBe(true);
    expect(Math.max(...spreads('p95').map(({ high }) => high))).toBe(Math.max(...lines.map(({ latency }) => latency?.p95.value ?? 0)));
    const statuses = failed.reduce((total, { from, to, values }) => total + ((values['status 503']?.mean ?? 0) * (to - from)) / 1000, 0);
    expect(statuses).toBeCloseTo(2880, -2);
  });

  test('what histograms are put together holds every request', () => {
    const { stretches, endpoints, judged } = madeUpCourse(load).latency;
    const lines = [...madeUpStretches(load)];
    const counted = lines.reduce((total, { all }) => total + all.count, 0);
    expect([stretches.length <= 240, endpoints.map(({ name }) => name)]).toEqual([true, load.names]);
    for (const sum of [stretches.reduce((total, { all }) => total + all.count, 0), judged.all.count]) expect(sum).toBe(counted);
    expect(stretches.at(-1)?.to).toBe(28_800_000);
  });

  test('columns hold what lines say, however many there are', () => {
    const line = fc.record({ ms: fc.integer({ min: 1, max: 5000 }), value: fc.double({ min: 0, max: 1e6, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (lines, most) => {
        const fold = columnFold({ most, peaks: new Set(['peak']) });
        let at = 0;
        for (const { ms, value } of lines) {
          fold.add({ from: at, to: at + ms, values: { value, peak: value } });
          at += ms;
        }
        const columns = fold.read();
        const values = lines.map(({ value }) => value);
        const read = columns.map((column) => column.values.value ?? { low: 0, mean: 0, high: 0 });
        expect(columns.length).toBeLessThanOrEqual(most);
        expect([columns[0]?.from, columns.at(-1)?.to]).toEqual([0, at]);
        expect([Math.min(...read.map(({ low }) => low)), Math.max(...read.map(({ high }) => high))]).toEqual([
          Math.min(...values),
          Math.max(...values),
        ]);
        const area = columns.reduce((sum, { from, to }, index) => sum + (to - from) * (read[index]?.mean ?? 0), 0);
        const expected = lines.reduce((sum, { ms, value }) => sum + ms * value, 0);
        expect(Math.abs(area - expected)).toBeLessThanOrEqual(1e-6 * Math.max(1, expected));
        expect(columns.every((column) => column.values.peak?.mean === column.values.peak?.high)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

const foreign = fc.oneof(
  fc.constantFrom(...injections),
  fc.array(fc.oneof(fc.constantFrom(...injections), fc.string({ unit: 'binary' }))).map((parts) => parts.join('')),
);
describe('CSV', () => {
  test('quotes are doubled, numbers stay, formulas are texts', () => {
    expect(csvOf([['a "b", c', '-1.5e3', '=1+1', '+1', '-1+1', '@x', 'x=1', '\u200b=1', '＝1', '−5%', '\v\rx']])).toBe(
      `"a ""b"", c","-1.5e3","'=1+1","'+1","'-1+1","'@x","x=1","'\u200b=1","'＝1","−5%","'\v\rx"\r\n`,
    );
  });

  test('whatever is in a table, another reader finds the same cells, and none begins as a formula', () => {
    const text = fc.oneof(foreign, fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(fc.array(text, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }), (rows) => {
        const read = readCsv(csvOf(rows));
        expect(read.map((row) => row.map((cell, index) => (cell === rows[read.indexOf(row)]?.[index] ? cell : cell.slice(1))))).toEqual(
          rows,
        );
        const acting = read.flat().filter((cell) => /^\s*[=+@\t\r]/.test(cell) || /^\s*-(?!\d+(\.\d+)?(e[+-]?\d+)?$)/i.test(cell));
        expect(acting).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

/** CSV as RFC 4180 says it, character by character. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let [cell, quoted] = ['', false];
  for (let at = 0; at < text.length; at += 1) {
    const two = text.slice(at, at + 2);
    if (quoted && two === '""') {
      cell += '"';
      at += 1;
    } else if (text[at] === '"') quoted = !quoted;
    else if (quoted) cell += text[at];
    else if (text[at] === ',' || two === '\r\n') {
      rows.at(-1)?.push(cell);
      cell = '';
      if (two === '\r\n') {
        rows.push([]);
        at += 1;
      }
    }
  }
  return rows.slice(0, -1);
}

/** Every text of a result that is not loadctl's own. */
function hostile(text: string): Result {
  const criterion: JudgedCriterion = { ...broken, name: text, window: text, limit: text };
  const result = resultOf({ reasons: [text], criteria: [criterion, criterion] }, text);
  const { judged } = result;
  if (judged === undefined) return result;
  const record = { ...judged.record, ciLink: text, limits: [{ file: text, line: 1 }, null] };
  return { ...result, judged: { ...judged, record }, errors: [{ code: 'bug', message: text, hint: text, lines: [text] }] };
}

/** What acts on a terminal, and what a CI system takes for a command. */
const acting = /[^\P{Cc}\n\t]|\p{Bidi_Control}|[\u2028\u2029]|##(?:vso|teamcity)?\[|^\s*::/gimu;

/** Names of the elements of a page or a piece of one, and of their attributes. */
function shapeOf(html: string): string[] {
  const shape: string[] = [];
  const visit = (node: DefaultTreeAdapterTypes.ChildNode) => {
    if ('attrs' in node) shape.push(`${node.tagName} ${node.attrs.map(({ name }) => name).join(' ')}`.trim());
    else if (node.nodeName === '#comment') shape.push('comment');
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  parse(html).childNodes.forEach(visit);
  return shape;
}

test('whatever targets, scripts and hosts say, each writer makes the same elements, and nothing that acts', () => {
  const pieces = ['summary.md'] as const;
  const shapes = pieces.map((name) => shapeOf(String(reportFiles[name](hostile('x')))).toString());
  fc.assert(
    fc.property(foreign, (text) => {
      const result = hostile(text.slice(0, 5000) || 'x');
      for (const make of [junit, summaryMd, k6Summary]) expect(make(result)?.match(acting)).toBeNull();
      expect(pieces.map((name) => shapeOf(String(reportFiles[name](result))).toString())).toEqual(shapes);
      const commands = annotations(result, String).trimEnd().split('\n');
      expect(commands.filter((line) => !line.startsWith('::error '))).toEqual([]);
      expect(commands).toHaveLength(3);
      expect(JSON.parse(k6Summary(result) ?? '').root_group.checks).toHaveProperty([text.slice(0, 5000) || 'x']);
    }),
    { numRuns: 100 },
  );
});

test('junit.xml is XML, whatever is in it', async () => {
  const documents = [...injections, injections.join('')].map((text, index) => ({
    fileName: `${index}.xml`,
    contents: junit(hostile(text)),
  }));
  expect(await validateXML({ xml: documents, schema: anything })).toMatchObject({ valid: true, errors: [] });
});

/** What Jenkins and GitLab read of it: names, places and obligations of elements and attributes. */
const anything = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="testsuites"><xs:complexType><xs:sequence><xs:element name="testsuite"><xs:complexType><xs:sequence>
<xs:element name="properties"><xs:complexType><xs:sequence><xs:element name="property" maxOccurs="unbounded"><xs:complexType>
<xs:attribute name="name" use="required"/><xs:attribute name="value" use="required"/></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
<xs:element name="testcase" maxOccurs="unbounded"><xs:complexType><xs:choice minOccurs="0">
<xs:element name="failure" type="found"/><xs:element name="error" type="found"/><xs:element name="skipped" type="found"/></xs:choice>
<xs:attribute name="classname" use="required"/><xs:attribute name="name" use="required"/><xs:attribute name="time" type="xs:decimal" use="required"/>
</xs:complexType></xs:element></xs:sequence>
<xs:attribute name="name" use="required"/><xs:attribute name="tests" type="xs:integer" use="required"/><xs:attribute name="failures" type="xs:integer" use="required"/>
<xs:attribute name="errors" type="xs:integer" use="required"/><xs:attribute name="skipped" type="xs:integer"/><xs:attribute name="time" type="xs:decimal"/>
<xs:attribute name="timestamp" type="xs:dateTime"/></xs:complexType></xs:element></xs:sequence>
<xs:attribute name="name"/><xs:attribute name="tests" type="xs:integer"/><xs:attribute name="failures" type="xs:integer"/><xs:attribute name="errors" type="xs:integer"/>
<xs:attribute name="time" type="xs:decimal"/></xs:complexType></xs:element>
<xs:complexType name="found" mixed="true"><xs:attribute name="type"/><xs:attribute name="message" use="required"/></xs:complexType></xs:schema>`;

test.each(Object.entries(jsonSchemas()))('schema/%s is what the code says (npm run generate)', (name, text) => {
  expect(readFileSync(new URL(`../../schema/${name}`, import.meta.url), 'utf8')).toBe(text);
});
