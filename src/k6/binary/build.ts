import { cp, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { lookUp } from './find.js';
import { binaryName } from './platform.js';
import { type Fetched, FetchFailure, type FetchOptions, type Surroundings } from './types.js';

/** Found by the package's own name: where this code stands is the bundler's to say. */
const pinnedModule = () => join(dirname(createRequire(import.meta.url).resolve('loadctl/package.json')), 'k6', 'build');
const oldestGo = 25;
/** Goes with the folder, however Go ends: it leaves its own work behind when it is killed. The name is none of a package. */
const temporary = '_tmp';

/** The Go that k6 would be built with, where one is on the PATH. */
export function goToBuildWith({ env }: Pick<Surroundings, 'env'>): Promise<string | undefined> {
  return lookUp(binaryName === 'k6' ? 'go' : 'go.exe', env);
}

/**
 * Builds k6 in `folder` from loadctl's own Go module, whose go.sum pins every byte. `go install …@version` would not do:
 * it asks k6's vanity domain even where a module proxy is all that can be reached.
 */
export async function build(folder: string, surroundings: Surroundings, options: FetchOptions): Promise<Fetched> {
  const go = await goToBuildWith(surroundings);
  if (go === undefined) throw new FetchFailure(`Go 1.${oldestGo} or newer is not on your PATH`);
  const module = join(folder, 'module');
  await cp(pinnedModule(), module, { recursive: true });
  const run = runner(go, module, surroundings, options);
  await mkdir(join(module, temporary));
  const goVersion = await run(['env', 'GOVERSION'], 60_000);
  const minor = /^go1\.(\d+)/.exec(goVersion)?.[1];
  if (minor !== undefined && Number(minor) < oldestGo) throw new FetchFailure(`${go} is ${goVersion}: k6 needs Go 1.${oldestGo} or newer`);
  const file = join(folder, binaryName);
  const { building = (_, build) => build() } = options;
  await building(goVersion, () => run(['build', '-trimpath', '-ldflags', '-s -w', '-o', file, 'go.k6.io/k6/v2'], 30 * 60_000));
  return { file, how: `built with ${goVersion} from loadctl's pinned module` };
}

/** Go gets the user's environment (its caches, proxies and certificates), but neither his flags nor his workspace. */
function runner(go: string, cwd: string, { env, home, execute }: Surroundings, { signal }: FetchOptions) {
  const ours = { HOME: home, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -modcacherw', GOWORK: 'off', GOTMPDIR: join(cwd, temporary) };
  const given = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  return async (args: readonly string[], timeoutMs: number): Promise<string> => {
    const said = await execute({ file: go, args, cwd, env: { ...given, ...ours } }, { timeoutMs, ...(signal ? { signal } : {}) });
    signal?.throwIfAborted();
    if (said.exitCode !== 0) throw new FetchFailure(`go ${args[0]} failed: ${said.error ?? lastLines(said.stderr)}`);
    return said.stdout.trim();
  };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' · ');
}
