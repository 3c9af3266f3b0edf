import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';

const hasGo = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'go')));
const withoutK6 = (process.env.PATH ?? '').split(delimiter).filter((folder) => !existsSync(join(folder, 'k6')));

/** A home in which there is no k6 yet, and nowhere to download one from; Go has its modules. */
function bare(place: Workplace): Record<string, string> {
  const modules = hasGo ? execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim() : '';
  const home = join(place.folder, 'home');
  return {
    PATH: withoutK6.join(delimiter),
    HOME: home,
    LOADCTL_K6: '',
    LOADCTL_K6_DOWNLOAD_URL: 'http://127.0.0.1:1',
    GOMODCACHE: modules,
    GOCACHE: join(place.folder, 'go-build'),
    TMPDIR: join(place.folder, 'tmp'),
  };
}

const files = {
  'profiles/dev.yaml': 'target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js, vus: 1, duration: 1s}\n',
  'script.js': 'export default () => {};',
  'tmp/.keep': '',
};

/** Command lines that name a folder. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes(folder) ? [line] : [];
    } catch {
      return []; // it is gone
    }
  });
}

test.skipIf(!hasGo && !process.env.CI)(
  'building k6 shows time passing, and ends within 2 s of Ctrl-C with 105, without a trace',
  async () => {
    const place = workplace(files);
    const run = place.start(['run', '--env', 'dev'], bare(place));
    await run.until(/build k6 v2\.2\.0 with go\S+ …/);
    await run.until(/build k6 v2\.2\.0 with go\S+: 10s/);

    run.process.kill('SIGINT');
    const asked = performance.now();
    const said = await run.said;

    expect(performance.now() - asked).toBeLessThan(2000);
    expect([said.code, said.stderr]).toEqual([105, expect.stringContaining('error: The build of k6 was interrupted; nothing was run')]);
    expect(said.stderr).not.toContain('bug');
    expect(readdirSync(join(place.folder, 'home/.cache/loadctl/k6/v2.2.0'))).toEqual([]);
    const kept = readdirSync(join(place.folder, 'tmp')).filter((name) => name !== 'node-compile-cache'); // newer Nodes' own
    expect(kept).toEqual(['.keep']);
    await expect.poll(() => processesIn(place.folder)).toEqual([]);
  },
);

test.skipIf(!hasGo && !process.env.CI)('doctor says that k6 would be built, and by which Go', async () => {
  const place = workplace(files);
  const { stdout } = await place.loadctl(['doctor'], bare(place));
  expect(stdout).toMatch(
    /k6 +! none yet\n +loadctl run downloads k6 2\.2\.0, or builds it with \S+\/go \(some minutes\)\. Or name your own: LOADCTL_K6=/,
  );
});

test('doctor says so where there is no Go to build it with', async () => {
  const place = workplace(files);
  const { stdout } = await place.loadctl(['doctor'], { ...bare(place), PATH: '/nowhere' });
  expect(stdout).toContain('no Go here to build it');
});
