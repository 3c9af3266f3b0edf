import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fleetPlace, loadOf } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;

test.runIf(canMount)('a disk that fills up under a run: it ends, says why, and has its numbers; verify says the same', async () => {
  const target = await startTarget();
  const at = fleetPlace(target, {});
  const disk = join(at.folder, '.loadctl');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  const run = at.start(['run', '--env', 'dev']);
  await at.event(loadOf(1000));
  expect(existsSync(join(at.latestRun(), '.reserve'))).toBe(true);
  expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(2_000_000))).toThrow('ENOSPC');

  const said = await run.said;
  const [verified, answered] = [await at.loadctl(['verify']), target.hits.get('GET /work') ?? 0];

  expect([said.code, verified.code], said.stderr).toEqual([115, 115]);
  expect(verified.stdout).toMatch(/INTERRUPTED[\s\S]*cannot be written: ENOSPC/);
  expect(at.summary().metrics.http_reqs?.values.count).toBeGreaterThanOrEqual(answered);
  expect(target.hits.get('GET /torn-down')).toBe(1);
  const lines = readFileSync(join(at.latestRun(), 'events.ndjson'), 'utf8').trimEnd().split('\n');
  expect(() => lines.map((line) => JSON.parse(line))).not.toThrow();
  expect(existsSync(join(at.latestRun(), '.reserve'))).toBe(false);
  expect(said.stderr).toContain('The disk is full: free some space there.');
  expect(said.stderr).not.toContain('garbage collection');
});
