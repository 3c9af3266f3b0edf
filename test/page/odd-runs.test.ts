import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';
import { injections } from '../unit/injections.js';
import { look } from './browser.js';

/** k6 has no groups and checks with `::` in their names, and 2.2 crashes at half a character in a check's. */
const checked = injections.filter((name) => !/::|\p{Surrogate}/u.test(name));
const script = `
import http from 'k6/http';
import { check, group, sleep } from 'k6';
const names = ${JSON.stringify(injections)};
const checked = ${JSON.stringify(checked)};
export default function () {
  for (const name of names) {
    const answer = http.get(__ENV.BASE_URL + '/', { tags: { name } });
    if (checked.includes(name)) group(name, () => check(answer, { [name]: () => true }));
  }
  sleep(0.5);
}
`;
const quiet = 'export default () => {};\n';
const profile = (url: string, duration: string) => `target: {url: "${url}"}
workload: {script: ../script.js, vus: 1, duration: ${duration}}
sla: {p95: < 10s, errors: < 1%}
`;

/** What runs of earlier versions do not have: files, and fields of run.json. */
const later = ['verdict.json', 'report.html', 'timeseries.ndjson', 'histograms.ndjson', 'generators.ndjson', 'monitors.ndjson'];
const laterFields = ['limits', 'choices', 'tagged', 'ciLink', 'gitCommit'];

const files = ['report.html', 'junit.xml', 'summary.md', 'k6-summary.json'];

test('whatever names a run has, wherever and in whichever language it is read: the same harmless files; also of an older run', {
  timeout: 300_000,
}, async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': profile(target.url, '3s'), 'script.js': script });
  const said = await place.loadctl(['run', '--env', 'dev']);
  expect([0, 111], said.stdout + said.stderr).toContain(said.code);
  const run = place.latestRun();
  await place.loadctl(['verify', run, '--report-dir', 'first']);
  await place.loadctl(['verify', run, '--report-dir', 'elsewhere'], { TZ: 'Asia/Kathmandu', LANG: 'ar_EG.UTF-8', LC_ALL: 'ar_EG.UTF-8' });
  for (const name of files) expect(place.read(`elsewhere/${name}`), name).toBe(place.read(`first/${name}`));
  const seen = await look(join(place.folder, 'first', 'report.html'), { locale: 'ar-EG', timezoneId: 'Asia/Kathmandu' });
  expect(seen).toMatchObject({ marked: false, complaints: [], violations: [], overflow: 0, requests: [expect.anything()] });
  const { root_group: root } = JSON.parse(place.read('first/k6-summary.json')) as { root_group: { groups: object } };
  expect(Object.keys(root.groups).length).toBe(checked.length);

  const old = join(place.folder, 'old');
  cpSync(run, old, { recursive: true });
  for (const name of later) rmSync(join(old, name), { force: true });
  const record = JSON.parse(readFileSync(join(old, 'run.json'), 'utf8')) as Record<string, unknown>;
  for (const field of laterFields) delete record[field];
  writeFileSync(join(old, 'run.json'), JSON.stringify(record));
  const reported = await place.loadctl(['report', old]);
  expect(reported, reported.stderr).toMatchObject({ code: 0 });
  const { metrics } = JSON.parse(readFileSync(join(old, 'summary.json'), 'utf8')) as { metrics: Record<string, { values: object }> };
  const page = await look(join(old, 'report.html'));
  const numbers = Object.values(metrics).flatMap(({ values }) => Object.values(values) as number[]);
  expect(numbers.filter((number) => !page.numbers.has(number))).toEqual([]);
  expect(page).toMatchObject({ marked: false, complaints: [], violations: [] });
  expect(page.text).not.toMatch(/undefined|NaN|Infinity|\[object/);
});

test('a run without a request, without numbers, or that is going on', { timeout: 300_000 }, async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': profile(target.url, '2s'), 'script.js': quiet });
  const said = await place.loadctl(['run', '--env', 'dev', '--report-dir', 'out']);
  expect([99, 111], said.stdout + said.stderr).toContain(said.code);
  const run = place.latestRun();
  await place.loadctl(['verify', run, '--report-dir', 'again']);
  rmSync(join(run, 'summary.json'));
  await place.loadctl(['verify', run, '--report-dir', 'bare']);
  expect(readdirSync(join(place.folder, 'bare')).sort()).toEqual(['junit.xml', 'report.html', 'summary.md']);
  for (const folder of ['out', 'again', 'bare']) {
    const contents = place.read(`${folder}/junit.xml`);
    expect(await validateXML({ xml: [{ fileName: 'junit.xml', contents }], schema: anyXml })).toMatchObject({ errors: [] });
    const seen = await look(join(place.folder, folder, 'report.html'));
    expect([seen.complaints, seen.violations]).toEqual([[], []]);
    for (const text of [seen.text, contents, place.read(`${folder}/summary.md`)])
      expect(text).not.toMatch(/undefined|NaN|Infinity|\[object/);
  }

  place.file('profiles/dev.yaml', profile(target.url, '60s'));
  const running = place.start(['run', '--env', 'dev']);
  await running.until('the load begins');
  const now = await place.loadctl(['report']);
  expect(now).toMatchObject({ code: 115, stdout: '', stderr: expect.stringContaining('is still running') });
  expect(existsSync(join(place.latestRun(), 'report.html'))).toBe(false);
  running.process.kill('SIGINT');
  expect((await running.said).code).toBe(105);
  expect(existsSync(join(place.latestRun(), 'report.html'))).toBe(true);
});

/** Whether it is well-formed is what is asked. */
const anyXml = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="testsuites"><xs:complexType><xs:sequence>
<xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/></xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType></xs:element></xs:schema>`;
