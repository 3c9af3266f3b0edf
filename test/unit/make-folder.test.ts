import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder } from '../../src/runs/make-folder.js';

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a folder is made with all above it; one that is there stays', async () => {
  const top = place();
  await makeFolder(join(top, 'a/b/c'), 0o700);
  expect(statSync(join(top, 'a/b')).mode & 0o777).toBe(0o700);
  mkdirSync(join(top, 'kept'), { mode: 0o755 });
  await makeFolder(join(top, 'kept'), 0o700);
  expect(statSync(join(top, 'kept')).mode & 0o777).toBe(0o755);
  await Promise.all([1, 2, 3].map(() => makeFolder(join(top, 'x/y/z'))));
  expect(statSync(join(top, 'x/y/z')).isDirectory()).toBe(true);
});

test('where none can be, the system says why: a file in its place, one above it, a place that takes none', async () => {
  const top = place();
  writeFileSync(join(top, 'file'), '');
  await expect(makeFolder(join(top, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(top, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.skipIf(process.platform !== 'linux')('a system that says ENOENT below a folder that is there is no endless search', async () => {
  await expect(makeFolder('/proc/none')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(makeFolder('/proc/none/below')).rejects.toMatchObject({ code: 'ENOENT' });
});
