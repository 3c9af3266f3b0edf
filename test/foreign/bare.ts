import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Form, fedFlags } from './form.js';
import { checksOf, countsOf, filesIn, inOneSpelling, inWords, readJson, type Seen, talkIn } from './seen.js';

/** k6's own export of a summary. */
interface Exported {
  readonly metrics: Readonly<
    Record<string, Readonly<Record<string, unknown>> & { readonly thresholds?: Readonly<Record<string, boolean>> }>
  >;
  readonly root_group: Parameters<typeof checksOf>[0];
}

/** Runs a script by one k6, in a folder of its own. */
export async function runBare(form: Form, script: string, env: Readonly<Record<string, string>>): Promise<Omit<Seen, 'requests'>> {
  const folder = temporaryFolder('foreign-bare-');
  const home = temporaryFolder('foreign-home-');
  const summaryFile = join(home, 'summary.json');
  const flags = ['--quiet', '--log-format', 'json', '--summary-export', summaryFile, ...(form.flags ?? []), ...fedFlags(form)];
  const { code, stdout, stderr } = await k6(['run', ...flags, script], { HOME: home, ...env }, folder);
  const exported = readJson<Exported>(summaryFile);
  const metrics = Object.entries(exported?.metrics ?? {});
  return {
    code,
    counts: Object.assign({}, ...metrics.map(([name, values]) => countsOf(name, values))),
    checks: checksOf(exported?.root_group),
    thresholds: Object.fromEntries(
      metrics.flatMap(([name, { thresholds }]) =>
        thresholds === undefined ? [] : [[inOneSpelling(name), outcomes(Object.values(thresholds))]],
      ),
    ),
    files: filesIn(folder),
    summary: stdout.includes('█') ? '' : stdout,
    talk: talkIn(stderr).sort(),
  };
}

/** In k6's export `true` is a threshold that was crossed. */
function outcomes(crossed: readonly boolean[]): string {
  return inWords(crossed.map((one) => (one ? 'missed' : 'met')));
}

/** Packs a script as `k6 archive` does. */
export async function archive(script: string, env: Readonly<Record<string, string>>): Promise<string> {
  const file = join(temporaryFolder('foreign-archive-'), 'test.tar');
  const { code, stderr } = await k6(['archive', '--include-system-env-vars', '--exclude-env-vars', '-O', file, script], env);
  if (code !== 0) throw new Error(`k6 archive ended with ${code}: ${stderr}`);
  return file;
}

/** A folder that goes when the test is over. */
export function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs k6 to its end, with nothing of this machine's environment but PATH. */
export function k6(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const own = { PATH: process.env.PATH, K6_NO_USAGE_REPORT: 'true', K6_AUTO_EXTENSION_RESOLUTION: 'false' };
  return new Promise((resolve) => {
    execFile(process.env.LOADCTL_K6 ?? 'k6', args, { env: { ...own, ...env }, cwd, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}
