import { arch, platform } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Surroundings } from './types.js';

/** The k6 that loadctl fetches where there is none. */
export const pinnedVersion = '2.2.0';

/** The file name of the binary on this system. */
export const binaryName = platform() === 'win32' ? 'k6.exe' : 'k6';

const systems: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'macos', win32: 'windows' };
const processors: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** This machine in the words of k6's releases: `linux-amd64`, `macos-arm64`. */
export const platformName = `${systems[platform()] ?? platform()}-${processors[arch()] ?? arch()}`;

/** The name of k6's release archive for this machine, without its ending. */
export const releaseName = `k6-v${pinnedVersion}-${platformName}`;

/** The file name of that archive. */
export const archiveName = `${releaseName}${platform() === 'linux' ? '.tar.gz' : '.zip'}`;

/** The folder of loadctl's cache that holds the pinned k6, for this and other platforms. */
export function cacheFolder({ env, home }: Pick<Surroundings, 'env' | 'home'>): string {
  const { XDG_CACHE_HOME = '' } = env;
  return join(isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(home, '.cache'), 'loadctl', 'k6', `v${pinnedVersion}`);
}

/** Where the pinned k6 for this platform lies in loadctl's cache, or would. */
export function cachedBinary(surroundings: Pick<Surroundings, 'env' | 'home'>): string {
  return join(cacheFolder(surroundings), platformName, binaryName);
}
