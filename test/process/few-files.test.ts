import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const profile = 'target: {url: "http://127.0.0.1:9"}\nworkload: {script: ../script.js, vus: 1, duration: 1s}\n';

test('where too few files can be opened even for its own modules, loadctl says what to raise', async () => {
  const { folder } = workplace({ 'profiles/dev.yaml': profile, 'script.js': 'export default () => {};' });
  const child = spawn('sh', ['-c', 'ulimit -n 40; exec "$0" "$@"', process.execPath, bin, 'run', '--env', 'dev', '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (said[stream] += text));
  const code = await new Promise((resolve) => child.once('close', resolve));

  expect(said.stderr).toMatch(/error: .*open files|error: loadctl may open no more files: EMFILE/);
  expect(said.stderr).toContain('ulimit -n');
  expect(said.stderr).not.toMatch(/^ {4}at /m);
  expect(code).toBe(115);
  expect(JSON.parse(said.stdout)).toMatchObject({ exitCode: 115 });
});
