import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const source = fileURLToPath(new URL('kube/', import.meta.url));
const sources = ['go.mod', 'go.sum', 'main.go', 'relay.go', 'pause/main.go'];

/** What the test cluster is made of: `kube` is Kubernetes in one file, `pause` holds a pod's namespaces. */
export interface Binaries {
  readonly kube: string;
  readonly pause: string;
}

/** Builds both where this version of them is not in the cache yet: minutes of both cores, once. */
export async function kubeBinaries(note: (line: string) => void): Promise<Binaries> {
  const version = kubernetesVersion();
  const home = join(cache(), `v${version}`);
  const folder = join(home, sourceHash());
  if (!existsSync(folder)) await build(version, home, folder, note);
  return { kube: join(folder, 'kube'), pause: join(folder, 'pause') };
}

function cache(): string {
  const { XDG_CACHE_HOME = '' } = process.env;
  return join(isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache'), 'loadctl', 'kube');
}

function kubernetesVersion(): string {
  const found = /k8s\.io\/kubernetes v(\S+)/.exec(readFileSync(join(source, 'go.mod'), 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${source}go.mod names no version of k8s.io/kubernetes`);
  return found;
}

function sourceHash(): string {
  const hash = createHash('sha256');
  for (const name of sources) hash.update(readFileSync(join(source, name)));
  return `${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 12)}`;
}

/** In a folder of another name until it is whole: a build that was interrupted is never taken for one. */
async function build(version: string, home: string, folder: string, note: (line: string) => void): Promise<void> {
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(home).filter((other) => other.startsWith('unfinished-')))
    rmSync(join(home, name), { recursive: true, force: true });
  const unfinished = mkdtempSync(join(home, 'unfinished-'));
  const begun = performance.now();
  const signOfLife = setInterval(() => note(`building Kubernetes ${version}: ${seconds(begun)} s`), 60_000);
  note(`building Kubernetes ${version} into ${folder}: minutes, once`);
  try {
    await goBuild(['-ldflags', linkerFlags(version), '-o', join(unfinished, 'kube'), '.']);
    await goBuild(['-ldflags', '-s -w', '-o', join(unfinished, 'pause'), './pause']);
    if (!existsSync(folder)) renameSync(unfinished, folder);
    note(`built Kubernetes ${version} in ${seconds(begun)} s`);
  } finally {
    clearInterval(signOfLife);
    rmSync(unfinished, { recursive: true, force: true });
  }
}

const seconds = (begun: number) => Math.round((performance.now() - begun) / 1000);

async function goBuild(args: readonly string[]): Promise<void> {
  const env = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false' };
  await execa('nice', ['go', 'build', '-trimpath', ...args], { cwd: source, env, stdin: 'ignore' });
}

/** Kubernetes asks its own binary for its version: a build without one is taken for 0.0.0 and refused by kubelets and clients. */
function linkerFlags(version: string): string {
  const [major = '', minor = ''] = version.split('.');
  const values = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean', buildDate: '2026-01-01T00:00:00Z' };
  return ['-s -w', ...Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)].join(' ');
}
