import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { unpackRun } from '../../src/runs/archive/index.js';
import { type MadeEntry, tarOf, zipOf } from '../support/archives.js';

const kinds = [
  ['tar.gz', tarOf],
  ['zip', async (entries: readonly MadeEntry[]) => zipOf(entries)],
] as const;
const limits = { entries: 50, fileBytes: 10_000, bytes: 1_000_000 };

function place() {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-archives-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const into = join(folder, 'into');
  mkdirSync(into);
  const file = join(folder, 'run');
  const unpack = async (content: Buffer) => {
    writeFileSync(file, content);
    return unpackRun(file, into, limits);
  };
  return { folder, into, file, unpack };
}

const run = { name: 'run.json', content: '{"run":1}' };

test.each(kinds)('of a %s the files that a run is judged by are taken out, whatever folder they are in', async (_, make) => {
  for (const above of ['', './', '.loadctl/runs/20261129-010203-abcde/']) {
    const { unpack } = place();
    const names = ['events.ndjson', 'summary.json', 'report.html', 'test.tar', 'runners/1/summary.json', 'runners/1/log'];
    const entries = [run, ...names.map((name) => ({ name, content: `of ${name}` }))];
    const directory = await unpack(await make(entries.map((one) => ({ ...one, name: `${above}${one.name}` }))));
    expect(readdirSync(directory).sort()).toEqual(['events.ndjson', 'run.json', 'summary.json']);
    expect(readFileSync(join(directory, 'run.json'), 'utf8')).toBe(run.content);
    expect(readFileSync(join(directory, 'summary.json'), 'utf8')).toBe('of summary.json');
  }
});

const hostile: readonly [string, readonly MadeEntry[], RegExp][] = [
  ['leads up', [run, { name: '../events.ndjson', content: 'x' }], /leads out of it|invalid relative path/],
  ['leads up from within', [run, { name: 'a/../../summary.json', content: 'x' }], /leads out of it|invalid relative path/],
  ['is absolute', [run, { name: '/tmp/summary.json', content: 'x' }], /leads out of it|absolute path/],
  ['has a drive', [run, { name: 'C:/summary.json', content: 'x' }], /leads out of it|absolute path/],
  ['is a symbolic link', [run, { name: 'events.ndjson', content: '/etc/passwd', link: 'symlink' }], /events.ndjson is a link/],
  ['is there twice', [run, { name: './run.json', content: '{}' }], /run.json is there twice/],
  ['is too large', [run, { name: 'summary.json', content: 'a'.repeat(20_000) }], /summary.json has more than 0 MB/],
  ['is one of too many', [run, ...Array.from({ length: 60 }, (_, at) => ({ name: `f${at}` }))], /more than 50 entries/],
  ['is of one of two runs', [run, { ...run, name: 'other/run.json' }], /it holds 2 runs/],
  ['is of no run', [{ name: 'events.ndjson', content: 'x' }], /no run.json in it/],
];

for (const [kind, make] of kinds)
  test.each(hostile)(`a ${kind} is refused where an entry %s`, async (_, entries, why) => {
    const { folder, into, file, unpack } = place();
    await expect(unpack(await make(entries))).rejects.toMatchObject({ reason: 'unavailable', message: expect.stringMatching(why) });
    expect(readdirSync(folder).sort()).toEqual(['into', 'run']);
    expect(readdirSync(into).length).toBe(1);
    expect(file).toBe(join(folder, 'run'));
  });

test('a hard link in a tar, and an encrypted entry of a zip, are refused', async () => {
  const { unpack } = place();
  await expect(unpack(await tarOf([run, { name: 'events.ndjson', link: 'link' }]))).rejects.toThrow('events.ndjson is a link');
  await expect(unpack(zipOf([run, { name: 'events.ndjson', content: 'x', encrypted: true }]))).rejects.toThrow(
    'events.ndjson is encrypted',
  );
});

test('what says that it is small and is not ends the reading: bombs', async () => {
  const { unpack } = place();
  const zeros = Buffer.alloc(2_000_000);
  await expect(unpack(zipOf([run, { name: 'summary.json', content: zeros, says: 100 }]))).rejects.toThrow(/is not an archive of a run/);
  await expect(unpack(await tarOf([run, { name: 'runners/1/log', content: zeros }]))).rejects.toThrow('unpacked it has more than 1 MB');
  const many = Array.from({ length: 40 }, (_, at) => ({ name: `r${at}/summary.json`, content: Buffer.alloc(9_000) }));
  const both = [run, ...many];
  await expect(unpackTight(zipOf(both))).rejects.toThrow('unpacked it has more than 0.2 MB');
  await expect(unpackTight(await tarOf(both))).rejects.toThrow('unpacked it has more than 0.2 MB');
});

async function unpackTight(content: Buffer): Promise<string> {
  const { file, into } = place();
  writeFileSync(file, content);
  return unpackRun(file, into, { ...limits, bytes: 200_000 });
}

test('an entry that breaks off ends the reading', async () => {
  const { unpack } = place();
  const noise = Buffer.from(Array.from({ length: 9_000 }, (_, at) => (at * at * 31) % 251));
  const whole = [run, { name: 'events.ndjson', content: noise }];
  for (const content of [await tarOf(whole), zipOf(whole)])
    await expect(unpack(content.subarray(0, content.length - 400))).rejects.toThrow(/is not an archive of a run: .+\.$/);
});

test('what is damaged, or is no archive, is said in one sentence', async () => {
  const { unpack, into } = place();
  const [tar, zip] = [await tarOf([run]), zipOf([run])];
  for (const content of [
    tar.subarray(0, tar.length / 2),
    zip.subarray(0, zip.length / 2),
    gzipSync('no tar'),
    Buffer.from('{}'),
    Buffer.from(''),
  ])
    await expect(unpack(content)).rejects.toMatchObject({
      reason: 'unavailable',
      message: expect.stringMatching(/is not an archive of a run: .+\.$/),
    });
  for (const name of readdirSync(into)) expect(existsSync(join(into, name, '0', 'run.json'))).toBe(false);
});
