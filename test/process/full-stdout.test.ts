import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const profile = 'target: {url: "http://127.0.0.1:9"}\nworkload: {script: ../script.js, vus: 1, duration: 1s}\n';

/** What loadctl says on stderr and exits with where the disk that stdout goes to is full. */
function onFullDisk(args: readonly string[]): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const stdout = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(stdout));
  const { folder } = workplace({ 'profiles/dev.yaml': profile, 'script.js': 'export default () => {};' });
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, stdio: ['ignore', stdout, 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}

test
  .runIf(process.platform === 'linux')
  .each([{ args: ['plan', '--env', 'dev', '--json'] }, { args: ['plan', '--env', 'dev'] }, { args: ['runs'] }, { args: ['--help'] }])(
  'a result that did not fit on the disk is told as lost: $args',
  async ({ args }) => {
    const { code, stderr } = await onFullDisk(args);

    expect(stderr).toMatch(/^error: What was printed is lost: stdout cannot be written, the disk is full \(ENOSPC\)\nhint: \S/m);
    expect(code).toBe(115);
  },
);

test.runIf(process.platform === 'linux')('what the command came to is not hidden by it', async () => {
  const { code, stderr } = await onFullDisk(['plan', '--env', 'nope', '--json']);

  expect(stderr).toContain('Unknown environment `nope`');
  expect(stderr).toContain('(ENOSPC)');
  expect(code).toBe(104);
});
