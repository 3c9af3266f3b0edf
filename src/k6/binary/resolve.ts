import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../../core/errors.js';
import { type Defer, scope } from '../../core/scope.js';
import { build } from './build.js';
import { download } from './download.js';
import { findK6 } from './find.js';
import { cachedBinary, cacheFolder, pinnedVersion } from './platform.js';
import { type Fetched, FetchFailure, type FetchOptions, type FoundK6, type K6Source, type Surroundings } from './types.js';
import { askVersion } from './version.js';

type Way = (folder: string, surroundings: Surroundings, options: FetchOptions) => Promise<Fetched>;

const ways: readonly { readonly source: K6Source; readonly fetch: Way; readonly title: string }[] = [
  { source: 'downloaded', fetch: download, title: `downloading k6 v${pinnedVersion}` },
  { source: 'built', fetch: build, title: `looking for Go, to build k6 v${pinnedVersion}: that takes some minutes` },
];

/** The k6 that is here, or else one that is fetched into loadctl's cache: downloaded, or built with Go. */
export async function resolveK6(surroundings: Surroundings, options: FetchOptions = {}): Promise<FoundK6> {
  return (await findK6(surroundings)) ?? (await fetchK6(surroundings, options));
}

async function fetchK6(surroundings: Surroundings, options: FetchOptions): Promise<FoundK6> {
  const failures: string[] = [];
  for (const { source, fetch, title } of ways) {
    options.progress?.(title);
    try {
      return await scope(async (defer) => {
        const fetched = await fetch(await temporaryFolder(surroundings, defer), surroundings, options);
        return await install(fetched, source, surroundings);
      });
    } catch (error) {
      if (options.signal?.aborted) throw interruptedWhile(source);
      if (!(error instanceof FetchFailure)) throw error;
      options.progress?.(error.message);
      failures.push(`${source === 'built' ? 'build' : 'download'}: ${error.message}`);
    }
  }
  const hint = 'Install k6 2.0 or newer (https://grafana.com/docs/k6/latest/set-up/install-k6/), or name one: LOADCTL_K6=/path/to/k6';
  throw new LoadctlError('unavailable', 'k6 was not found and could not be downloaded or built', { hint, lines: failures });
}

function interruptedWhile(source: K6Source): LoadctlError {
  const what = source === 'built' ? 'build' : 'download';
  return new LoadctlError('interrupted', `The ${what} of k6 was interrupted; nothing was run, and nothing of it was kept.`, {
    hint: 'Run the command again, or name an installed k6: LOADCTL_K6=/path/to/k6',
  });
}

/** In the cache itself: a rename is only atomic within one file system. */
async function temporaryFolder(surroundings: Surroundings, defer: Defer): Promise<string> {
  const cache = cacheFolder(surroundings);
  try {
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, '.fetching-'));
    defer(() => rm(folder, { recursive: true, force: true }));
    return folder;
  } catch (error) {
    const problem = `loadctl's cache ${cache} cannot be written (${errorCode(error) ?? errorMessage(error)})`;
    throw new LoadctlError('unavailable', problem, { hint: 'Set XDG_CACHE_HOME to a writable directory', cause: error });
  }
}

/** The rename comes last: whoever looks into the cache finds a whole k6 or none. */
async function install({ file, how }: Fetched, source: K6Source, surroundings: Surroundings): Promise<FoundK6> {
  const said = await askVersion(file, surroundings);
  if ('problem' in said) throw new FetchFailure(`the downloaded k6 does not run here: ${said.problem}`);
  if (said.version !== pinnedVersion) throw new FetchFailure(`the downloaded k6 is v${said.version}, not v${pinnedVersion}`);
  const path = cachedBinary(surroundings);
  await mkdir(dirname(path), { recursive: true });
  await rename(file, path);
  return { path, version: said.version, source, why: `no k6 was here, so it was ${how}` };
}
