import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const script = `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };`;

/** A place with a temporary folder of its own, and a load of a minute. */
async function place(): Promise<Workplace & { readonly env: Record<string, string>; left(): string[] }> {
  const target = await startTarget();
  const profile = `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 2, duration: 60s}\nrunners: {count: 2}\n`;
  const made = workplace({ 'profiles/dev.yaml': profile, 'script.js': script, 'tmp/.keep': '' });
  const tmp = join(made.folder, 'tmp');
  return { ...made, env: { TMPDIR: tmp }, left: () => readdirSync(tmp).filter((name) => name !== '.keep') };
}

const run = ['run', '--env', 'dev'];
const locksIn = ({ folder }: Workplace) => readdirSync(join(folder, '.loadctl', 'running'));
const recordOf = (at: Workplace) => join(at.latestRun(), 'run.json');

/** The processes that name this folder in their arguments. */
function processesOf(folder: string): number[] {
  return execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(folder))
    .map((line) => Number.parseInt(line, 10));
}

test('what a killed loadctl left goes with the next command, and nothing goes while one lives', async () => {
  const at = await place();
  const { process, said, until } = at.start(run, at.env);
  await until('the load begins');
  const folders = at.left();
  expect(folders.map((name) => name.length).sort()).toEqual(['loadctl-123456'.length, 'loadctl-0123456789abcdef'.length]);

  expect((await at.loadctl(['runs'], at.env)).stdout).toMatch(/ dev .* running\n/);
  process.kill('SIGSTOP');
  expect((await at.loadctl(['runs'], at.env)).stdout).toMatch(/ dev .* running\n/);
  expect(at.left()).toEqual(folders);
  process.kill('SIGKILL');
  expect((await said).code).toBe(null);

  await expect.poll(() => at.left().length, { timeout: 8000 }).toBe(1);
  expect((await at.loadctl(['runs'], at.env)).stdout).toMatch(/ dev .* interrupted .*was killed or crashed/);
  expect([at.left(), locksIn(at)]).toEqual([[], []]);
  expect((await at.loadctl(['stop'], at.env)).code).toBe(115);
});

test('where nobody is left to tidy up, the next command does', async () => {
  const at = await place();
  const { process, said, until } = at.start(run, at.env);
  await until('the load begins');
  // Agent, watcher and k6 as if all at once: k6 would see to nothing, and none of them may see to the other.
  const all = processesOf(at.folder);
  for (const signal of ['-STOP', '-KILL']) spawnSync('kill', [signal, ...all.map(String)]);
  process.kill('SIGKILL');
  await said;
  await expect.poll(() => processesOf(at.folder), { timeout: 5000 }).toEqual([]);
  expect(at.left()).toHaveLength(2);
  expect((await at.loadctl(['init', '--force'], at.env)).code).toBe(0);
  expect(at.left()).toEqual([]);
});

test('a run is told by its lock, or by its very process: a pid that is in use by another says nothing', async () => {
  const at = await place();
  const { process: loadctl, said, until } = at.start(run, at.env);
  await until('the load begins');
  const file = recordOf(at);
  const written = readFileSync(file, 'utf8');
  const withPid = (pid: number | undefined) => writeFileSync(file, written.replace(/"pid": \d+/, `"pid": ${pid}`));

  withPid(process.pid);
  expect((await at.loadctl(['runs'])).stdout, 'by its lock').toMatch(/ dev .* running\n/);
  for (const lock of locksIn(at)) rmSync(join(at.folder, '.loadctl', 'running', lock));
  expect((await at.loadctl(['runs'])).stdout, 'by another process').toMatch(/ dev .* interrupted/);
  withPid(loadctl.pid);
  expect((await at.loadctl(['runs'])).stdout, 'by its process').toMatch(/ dev .* running\n/);
  loadctl.kill('SIGKILL');
  await said;
  expect((await at.loadctl(['runs'])).stdout).toMatch(/ dev .* interrupted/);
});

const unshare = ['--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
const hasNamespaces = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', [...unshare, 'true']).status === 0;

test.runIf(hasNamespaces)(
  'loadctl as pid 1 of a container is seen from everywhere while it lives, and is gone when it is killed',
  async () => {
    const at = await place();
    const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
    const env = { PATH, HOME, LOADCTL_K6, ...at.env };
    const inContainer = (args: string[]) => spawn('unshare', [...unshare, process.execPath, bin, ...args], { cwd: at.folder, env });
    const container = inContainer(run);
    onTestFinished(() => void container.kill('SIGKILL'));
    const gone = new Promise((resolve) => container.once('close', resolve));
    await new Promise<void>((resolve) => {
      container.stderr.on('data', (text: Buffer) => text.includes('the load begins') && resolve());
    });
    const runsInAnother = async () => {
      const other = inContainer(['runs']);
      let shown = '';
      other.stdout.on('data', (text: Buffer) => {
        shown += text.toString();
      });
      await new Promise((resolve) => other.once('close', resolve));
      return shown;
    };
    expect(JSON.parse(readFileSync(recordOf(at), 'utf8'))).toMatchObject({ by: { pid: 1 } });
    expect([(await at.loadctl(['runs'], at.env)).stdout, await runsInAnother()]).toEqual([
      expect.stringMatching(/ dev .* running\n/),
      expect.stringMatching(/ dev .* running\n/),
    ]);
    expect(at.left()).toHaveLength(2);

    container.kill('SIGKILL');
    await gone;
    expect(await runsInAnother()).toMatch(/ dev .* interrupted/);
    expect((await at.loadctl(['stop'])).code).toBe(115);
    await at.loadctl(['runs'], at.env);
    expect([at.left(), locksIn(at)]).toEqual([[], []]);
  },
);

test('a temporary folder that cannot be used is named, with what to do', async () => {
  const at = await place();
  const nowhere = join(at.folder, 'nowhere');
  const said = await at.loadctl(run, { TMPDIR: nowhere });
  expect(said).toMatchObject({ code: 115 });
  expect(said.stderr).toContain(`error: The temporary folder ${nowhere} cannot be used (ENOENT).`);
  expect(said.stderr).toContain('hint: Set TMPDIR to a directory that you can write to.');
});

test('a temporary folder that is named from where loadctl was called is used there', async () => {
  const target = await startTarget();
  const profile = `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 1, duration: 1s}\n`;
  const place = workplace({ 'profiles/dev.yaml': profile, 'script.js': script, 'own tmp/.keep': '' });
  expect(await place.loadctl(run, { TMPDIR: 'own tmp' })).toMatchObject({ code: 0 });
  expect(readdirSync(join(place.folder, 'own tmp'))).toEqual(['.keep']);
});
