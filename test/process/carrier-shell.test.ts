import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { carrierCommand } from '../../src/runners/kubernetes/job.js';

/** What the shells of images are called. */
const shells = ['dash', 'busybox sh', 'bash'];

/** The shell listens for itself alone until it waits for the carrier. */
const untilAwaited = 'until grep -q "^State:.S" /proc/$PPID/status; do :; done';

/** Starts the command of a runner's pod, with this in the carrier's place. */
function startPod(shell: string, carrier: string) {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-carrier-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'loadctl'), `#!/bin/sh\n${carrier}\n`);
  chmodSync(join(folder, 'loadctl'), 0o755);
  const [file = '', ...words] = [...shell.split(' '), ...carrierCommand.slice(1)];
  const child = spawn(file, words, { env: { PATH: `${folder}:${process.env.PATH}` }, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, said: once(child.stdout, 'data').then(([text]) => String(text)), ended: once(child, 'exit') };
}

test.each(shells)('%s ends with the status of the carrier', async (shell) => {
  for (const status of [0, 69, 143]) expect(await startPod(shell, `exit ${status}`).ended).toEqual([status, null]);
});

test.each(shells)('%s hands on that the pod is to end, and waits for the carrier, however often it is told', async (shell) => {
  const { child, said, ended } = startPod(
    shell,
    `trap 'n=$((n + 1)); [ $n -lt 2 ] || exit 7' TERM; ${untilAwaited}; echo up; while :; do sleep 0.05; done`,
  );
  expect(await said).toBe('up\n');
  child.kill('SIGTERM');
  const second = setInterval(() => child.kill('SIGTERM'), 300);
  onTestFinished(() => clearInterval(second));
  expect(await ended).toEqual([7, null]);
});
