import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { cachedBinary, findK6, type Surroundings } from '../../src/k6/binary/index.js';
import { archiveName, platformName, releaseName } from '../../src/k6/binary/platform.js';
import { resolveK6 } from '../../src/k6/binary/resolve.js';
import { openWorld } from '../../src/world.js';

const page = '/v2.2.0';
const checksums = `${page}/k6-v2.2.0-checksums.txt`;
const timeouts = { answerMs: 1000, stallMs: 1000 };
const { execute, clock } = openWorld();

/** A machine without k6 and Go: an empty home, and a PATH with sh, tar and gzip only. */
function machine(env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-binary-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const tools = join(folder, 'tools');
  mkdirSync(tools);
  for (const name of ['sh', 'tar', 'gzip', 'cat', 'chmod', 'mkdir']) {
    script(join(tools, name), `exec ${execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()} "$@"`);
  }
  const home = join(folder, 'home');
  const surroundings: Surroundings = { env: { PATH: tools, ...env }, home, cwd: folder, execute, clock };
  return { folder, tools, ...surroundings };
}

function script(file: string, body: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

const fakeK6 = (file: string, version = '2.2.0') => script(file, `echo "k6 v${version} (go1.26.0, linux/amd64)"`);

/** A release archive as k6's are, with a small script for a binary. */
function releaseArchive(folder: string, version?: string): Buffer {
  fakeK6(join(folder, 'release', releaseName, 'k6'), version);
  execFileSync('tar', ['-czf', join(folder, 'archive'), '-C', join(folder, 'release'), releaseName]);
  return readFileSync(join(folder, 'archive'));
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
}

function serveFiles(files: Record<string, string | Buffer>): Promise<string> {
  return serve((request, response) => {
    const content = files[request.url ?? ''];
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
}

const sumsOf = (archive: Buffer) =>
  `${'0'.repeat(64)}  k6-v2.2.0-linux-riscv.deb\n${createHash('sha256').update(archive).digest('hex')}  ${archiveName}\n`;

async function refusal(promise: Promise<unknown>): Promise<LoadctlError> {
  return await promise.then(
    () => expect.unreachable('it should have been refused'),
    (error) => error,
  );
}

describe('a k6 that is here', () => {
  test('is what LOADCTL_K6 names, before the PATH and the cache', async () => {
    const here = machine({ LOADCTL_K6: 'mine' });
    fakeK6(join(here.folder, 'mine'), '2.9.1');
    fakeK6(join(here.tools, 'k6'));
    expect(await findK6(here)).toEqual({
      path: join(here.folder, 'mine'),
      version: '2.9.1',
      source: 'LOADCTL_K6',
      why: 'LOADCTL_K6 names it',
    });
  });

  test('is the first on the PATH, before the cache', async () => {
    const here = machine();
    const second = join(here.folder, 'second');
    fakeK6(join(second, 'k6'), '2.1.0');
    fakeK6(cachedBinary(here));
    const env = { PATH: [here.tools, '', 'relative', second].join(':') };
    expect(await findK6({ ...here, env })).toMatchObject({ path: join(second, 'k6'), version: '2.1.0', source: 'PATH' });
  });

  test('is in the cache: under XDG_CACHE_HOME, or ~/.cache', async () => {
    const here = machine();
    expect(cachedBinary(here)).toBe(join(here.home, '.cache/loadctl/k6/v2.2.0', platformName, 'k6'));
    fakeK6(cachedBinary(here));
    expect(await findK6(here)).toMatchObject({ source: 'cache', version: '2.2.0' });
    expect(await findK6({ ...here, env: { ...here.env, XDG_CACHE_HOME: join(here.folder, 'other') } })).toBeUndefined();
  });

  test('is none, where the cache holds a damaged one', async () => {
    const here = machine();
    script(cachedBinary(here), 'exit 3');
    expect(await findK6(here)).toBeUndefined();
  });

  test('does not pass when LOADCTL_K6 names nothing', async () => {
    const here = machine({ LOADCTL_K6: '/nowhere/k6' });
    fakeK6(join(here.tools, 'k6'));
    expect(await refusal(findK6(here))).toMatchObject({
      reason: 'unavailable',
      message: expect.stringContaining('LOADCTL_K6 is /nowhere/k6'),
    });
  });

  test('does not pass when it is too old, or no k6', async () => {
    const here = machine();
    fakeK6(join(here.tools, 'k6'), '1.7.0');
    const old = await refusal(findK6(here));
    expect(old).toMatchObject({ reason: 'unavailable', hint: 'Update it, or name a newer one: LOADCTL_K6=/path/to/k6' });
    expect(old.message).toBe(`${here.tools}/k6 (on your PATH) is k6 v1.7.0: loadctl needs k6 v2.0 or newer`);
    script(join(here.tools, 'k6'), 'echo hello');
    expect((await refusal(findK6(here))).message).toContain('is not a k6 that runs here: "k6 version" exited 0 and named no version');
  });
});

describe('a k6 that is missing', () => {
  test('is downloaded, checked, and kept in the cache', async () => {
    const here = machine();
    const archive = releaseArchive(here.folder);
    const url = await serveFiles({ [checksums]: sumsOf(archive), [`${page}/${archiveName}`]: archive });
    const env = { ...here.env, LOADCTL_K6_DOWNLOAD_URL: `${url}/` };
    const found = await resolveK6({ ...here, env });
    expect(found).toMatchObject({ path: cachedBinary(here), version: '2.2.0', source: 'downloaded' });
    expect(await findK6(here)).toMatchObject({ path: found.path, source: 'cache' });
    expect(readdirSync(join(here.home, '.cache/loadctl/k6/v2.2.0'))).toEqual([platformName]);
  });

  test('may be fetched twice at once', async () => {
    const here = machine();
    const archive = releaseArchive(here.folder);
    const url = await serveFiles({ [checksums]: sumsOf(archive), [`${page}/${archiveName}`]: archive });
    const env = { ...here.env, LOADCTL_K6_DOWNLOAD_URL: url };
    const both = await Promise.all([resolveK6({ ...here, env }), resolveK6({ ...here, env })]);
    expect(both.map(({ path }) => path)).toEqual([cachedBinary(here), cachedBinary(here)]);
  });

  test.each<[string, string, (archive: Buffer) => Promise<string>]>([
    [
      'corrupt',
      'is corrupt and was removed',
      (archive) => serveFiles({ [checksums]: sumsOf(archive), [`${page}/${archiveName}`]: 'no archive' }),
    ],
    ['missing', `${archiveName} answered 404`, (archive) => serveFiles({ [checksums]: sumsOf(archive) })],
    ['without a checksum', `the release has no ${archiveName}`, () => serveFiles({ [checksums]: '' })],
    ['never answered', 'did not answer for 1s', () => serve(() => {})],
    [
      'stalled',
      'sent nothing more for 1s',
      (archive) => serve((request, response) => stall(request.url === checksums ? sumsOf(archive) : '', response)),
    ],
    ['cut off', 'is unreachable', () => serve((request) => request.socket.destroy())],
    ['of another version', 'the downloaded k6 is v2.1.0, not v2.2.0', () => otherVersion()],
  ])('whose download is %s is built with Go', async (_name, problem, server) => {
    const here = machine();
    fakeGo(here.tools);
    const lines: string[] = [];
    const env = { ...here.env, LOADCTL_K6_DOWNLOAD_URL: await server(releaseArchive(here.folder)) };
    const found = await resolveK6({ ...here, env }, { timeouts, progress: (line) => lines.push(line) });
    expect(found).toMatchObject({ path: cachedBinary(here), source: 'built' });
    expect(found.why).toBe("no k6 was here, so it was built with go1.25.3 from loadctl's pinned module");
    expect(lines).toContainEqual(expect.stringContaining(problem));
  });

  test('and cannot be fetched is an error that says what was tried', async () => {
    const env = { LOADCTL_K6_DOWNLOAD_URL: await serveFiles({}) };
    const here = machine(env);
    const error = await refusal(resolveK6(here));
    expect(error).toMatchObject({ reason: 'unavailable', message: 'k6 was not found and could not be downloaded or built' });
    expect(error.lines).toEqual([
      `download: ${env.LOADCTL_K6_DOWNLOAD_URL}${checksums} answered 404`,
      'build: Go 1.25 or newer is not on your PATH',
    ]);
    fakeGo(here.tools, 'go1.24.9');
    expect((await refusal(resolveK6(here))).lines[1]).toBe(`build: ${here.tools}/go is go1.24.9: k6 needs Go 1.25 or newer`);
    expect(existsSync(cachedBinary(here))).toBe(false);
  });

  test('is no longer fetched once it was interrupted', async () => {
    const interrupt = new AbortController();
    const here = machine({ LOADCTL_K6_DOWNLOAD_URL: await serve(() => interrupt.abort(new Error('interrupted'))) });
    await expect(resolveK6(here, { signal: interrupt.signal })).rejects.toThrow('interrupted');
    expect(readdirSync(join(here.home, '.cache/loadctl/k6/v2.2.0'))).toEqual([]);
  });

  test('and a cache that cannot be written is an error with a way out', async () => {
    const here = machine();
    writeFileSync(here.home, '');
    expect(await refusal(resolveK6(here))).toMatchObject({
      reason: 'unavailable',
      hint: 'Set XDG_CACHE_HOME to a writable directory',
    });
  });
});

/** Sends what it has, and then nothing, without an end. */
function stall(content: string, response: Parameters<RequestListener>[1]): void {
  if (content !== '') response.end(content);
  else response.writeHead(200).write('begun');
}

function otherVersion(): Promise<string> {
  const archive = releaseArchive(machine().folder, '2.1.0');
  return serveFiles({ [checksums]: sumsOf(archive), [`${page}/${archiveName}`]: archive });
}

/** A go that says its version, checks that it stands in our module, and "builds" a script. */
function fakeGo(folder: string, version = 'go1.25.3'): void {
  script(
    join(folder, 'go'),
    `if [ "$1" = env ]; then echo ${version}; exit; fi
    [ "$GOFLAGS" = '-mod=readonly -modcacherw' ] && [ "$CGO_ENABLED" = 0 ] && [ -f go.sum ] || exit 9
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho "k6 v2.2.0 (${version}, linux/amd64)"\\n' > "$2"
    chmod +x "$2"`,
  );
}
