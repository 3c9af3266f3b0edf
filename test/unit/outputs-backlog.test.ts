import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openRedactor } from '../../src/core/redactor.js';
import { keepBacklog, keepOwed, readBacklogs, readOwed } from '../../src/runs/backlog.js';
import { createRunDirectory } from '../../src/runs/write.js';
import { runId } from '../support/ids.js';

const lines = [{ id: 'a', second: 1, body: 'one' }];

async function directory() {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-backlog-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const made = await createRunDirectory(folder, runId('20261130-172225-68n3r'), openRedactor());
  onTestFinished(made.close);
  return made;
}

test('what waits is kept for who sends it, and what is owed as long as it is', async () => {
  const run = await directory();
  keepBacklog(run, 'influx', lines);
  keepOwed(run, 'oncall', lines);
  expect([[...(await readBacklogs(run.path))], [...(await readOwed(run.path))]]).toEqual([[['influx', lines]], [['oncall', lines]]]);
  keepOwed(run, 'oncall', []);
  expect([...(await readOwed(run.path))]).toEqual([]);
});

test('where it cannot be written it is not said to be kept, and no half of it is left', async () => {
  const run = await directory();
  mkdirSync(run.file(join('outputs', 'influx.backlog', 'full')), { recursive: true });
  expect(() => keepBacklog(run, 'influx', lines)).toThrow();
  expect(readdirSync(run.file('outputs'))).toEqual(['influx.backlog']);
});
