import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isAlive } from '../support/agents.js';
import { type FleetPlace, fleetPlace } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const letters = 2_000_000;
const script = `export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };
export const handleSummary = () => ({ stdout: 'w'.repeat(${letters}) });`;

/** A run whose output is more than a pipe holds, and is not read yet. */
async function unread(): Promise<{ readonly at: FleetPlace; readonly run: ChildProcess; readonly isJudged: () => boolean }> {
  const at = fleetPlace(await startTarget(), { script, workload: 'vus: 4, duration: 1s' });
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  const run = spawn(process.execPath, [bin, 'run', '--env', 'dev'], { cwd: at.folder, env: { PATH, HOME, LOADCTL_K6 } });
  const isJudged = () => {
    const runs = join(at.folder, '.loadctl', 'runs');
    return existsSync(runs) && readdirSync(runs).some((name) => existsSync(join(runs, name, 'verdict.json')));
  };
  return { at, run, isJudged };
}

test('who reads late gets all of it', async () => {
  const { run, isJudged } = await unread();
  await expect.poll(isJudged, { timeout: 30_000 }).toBe(true);

  let said = '';
  run.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  run.stderr?.resume();
  const code = await new Promise((resolve) => run.once('close', resolve));

  expect(code).toBe(0);
  expect(said).toContain('w'.repeat(letters));
  expect(said).toMatch(/PASS {2}run /);
});

test('who never reads keeps nobody from ending: a signal ends the wait at once, with the status that the run came to', async () => {
  const { at, run, isJudged } = await unread();
  await expect.poll(isJudged, { timeout: 30_000 }).toBe(true);
  await at.event(({ type }) => type === 'command-finished');

  const asked = performance.now();
  expect(isAlive(run.pid ?? 0)).toBe(true);
  run.kill('SIGTERM');
  const code = await new Promise((resolve) => run.once('exit', resolve));

  expect(code).toBe(0);
  expect(performance.now() - asked).toBeLessThan(2000);
});
