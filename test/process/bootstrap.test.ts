import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** As much of the sources as the bootstrap itself needs. */
const parts = ['bin', 'src', 'examples/tsconfig.json', 'examples/servers', 'tsconfig.json', 'package.json', 'package-lock.json'];

/** A clone of the project on a machine that has what a test puts into `tools`, and nothing else. */
function clone() {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bootstrap-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const project = join(folder, 'project');
  for (const part of parts) cpSync(join(root, part), join(project, part), { recursive: true });
  const tool = (name: string, body = '') => script(join(folder, 'tools', name), body);
  tool('env', 'exec /usr/bin/env "$@"');
  const bootstrap = async (args: readonly string[] = [], env: Record<string, string> = {}) => {
    const given = { PATH: join(folder, 'tools'), HOME: join(folder, 'home'), LOADCTL_K6: process.env.LOADCTL_K6 ?? '', ...env };
    const child = spawn(process.execPath, ['bin/bootstrap.js', ...args], { cwd: project, env: given, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    }
    const [code] = await once(child, 'close');
    return { code, ...said };
  };
  const linkPackages = () => symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  return { folder, project, tool, bootstrap, linkPackages };
}

function script(file: string, body: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

const steps = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('✓'))
    .map((line) => line.slice(2, 10).trim());

describe('the bootstrap', () => {
  // Two whole builds, which take a minute on a machine that has others to serve as well.
  test('builds what is not built, and finds everything in its place the second time', { timeout: 240_000 }, async () => {
    const { project, tool, bootstrap, linkPackages } = clone();
    linkPackages();
    tool('redis-server');
    const first = await bootstrap();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(steps(first.stdout)).toEqual(['packages', 'build', 'k6', 'redis']);
    expect(first.stdout).toMatch(/^✓ build {5}tsc, rolldown \(\d+\.\d s\)$/m);
    expect(existsSync(join(project, 'dist', 'k6', 'binary', 'index.js'))).toBe(true);
    expect(readFileSync(join(project, 'dist', 'cli.js'), 'utf8')).toContain('./chunks/');

    const second = await bootstrap();
    expect(second.stdout).toMatch(/^✓ packages {2}as in package-lock.json \(0\.\d s\)\n✓ build {5}up to date \(0\.\d s\)\n/);

    appendFileSync(join(project, 'src', 'core', 'scope.ts'), 'export const wrong: number = "text";\n');
    const third = await bootstrap();
    expect(third.code).toBe(1);
    expect(third.stderr).toContain('src/core/scope.ts');
  });

  test('runs npm ci where the packages are not those of the lock, and says what npm said', async () => {
    const { folder, tool, bootstrap } = clone();
    tool('npm', `echo "$@" > ${join(folder, 'asked')}; echo "npm error: the registry is away" >&2; exit 1`);
    const said = await bootstrap();
    expect(said.code).toBe(115);
    expect(said.stderr).toContain('✗ packages  npm ci failed: \nnpm error: the registry is away');
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('ci --include=dev --no-progress\n');
  });

  test('installs Redis with apt-get, and ends the service that comes with it', async () => {
    const { folder, tool, bootstrap, linkPackages } = clone();
    linkPackages();
    const log = join(folder, 'log');
    const note = (name: string) => `echo ${name} "$@" >> ${log}`;
    const install = `printf '#!/bin/sh\\n' > ${join(folder, 'tools', 'redis-server')}; /bin/chmod +x ${join(folder, 'tools', 'redis-server')}`;
    tool('sudo', 'while [ "$1" = -n ]; do shift; done; exec "$@"');
    tool('true');
    tool('service', note('service'));
    tool('systemctl', note('systemctl'));
    tool('apt-get', `${note('apt-get')}; case "$*" in *" install "*) ${install};; esac`);
    const said = await bootstrap();
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toMatch(/^✓ redis {5}\S+\/redis-server, by apt-get install redis-server/m);
    const [update, installed, ended] = readFileSync(log, 'utf8').split('\n');
    expect(update).toMatch(/^apt-get .* update$/);
    expect(installed).toMatch(/^apt-get .* install -y --no-install-recommends redis-server$/);
    expect(ended).toMatch(/^(service redis-server stop|systemctl disable --now redis-server)$/);
  });

  test('says what to type where it cannot install Redis', async () => {
    const { tool, bootstrap, linkPackages } = clone();
    linkPackages();
    tool('apk');
    const said = await bootstrap();
    expect(said.code).toBe(115);
    expect(said.stderr).toBe(
      '✗ redis     no redis-server or valkey-server on your PATH\n  Install one, then try again: sudo apk add redis\n',
    );
  });

  test('says how to get a k6 where there is none that will do', async () => {
    const { tool, bootstrap, linkPackages } = clone();
    linkPackages();
    tool('k6', 'echo "k6 v1.7.0 (go1.24.0, linux/amd64)"');
    const said = await bootstrap([], { LOADCTL_K6: '' });
    expect(said.code).toBe(115);
    expect(said.stderr).toMatch(/^✗ k6 {8}\S+\/k6 \(on your PATH\) is k6 v1\.7\.0: loadctl needs k6 v2\.0 or newer\n {2}Update it/);
  });
});
