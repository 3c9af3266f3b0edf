import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const profile = 'target: {url: "http://127.0.0.1:9"}\nworkload: {script: ../script.js, vus: 1, duration: 1s}\n';

// Each Node opens its modules in another way: at which number loadctl fails, and with what, differs.
const limits = [60, 50, 40, 35, 32, 30, 28, 27, 26, 25];

test('where too few files can be opened, for its own modules or for what it starts, loadctl says what to raise', async () => {
  const { folder } = workplace({ 'profiles/dev.yaml': profile, 'script.js': 'export default () => {};' });
  let told = 0;
  for (const limit of limits) {
    const { code, stdout, stderr } = await runWithFiles(limit, folder);
    if (stderr.includes('ECONNREFUSED')) continue; // it had files enough to find that nobody listens there
    told += 1;
    expect(stderr, `${limit} files`).toMatch(/^error: .*open files|^error: loadctl may open no more files: /m);
    expect(stderr).toContain('ulimit -n');
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(code).toBe(115);
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 115 });
  }
  expect(told).toBeGreaterThan(0);
});

async function runWithFiles(limit: number, folder: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const command = `ulimit -n ${limit}; exec "$0" "$@"`;
  const child = spawn('sh', ['-c', command, process.execPath, bin, 'run', '--env', 'dev', '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (said[stream] += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, ...said };
}
