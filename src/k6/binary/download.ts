import { join } from 'node:path';
import { archiveName, binaryName, pinnedVersion, releaseName } from './platform.js';
import { getFile, getText } from './transfer.js';
import { type Fetched, FetchFailure, type FetchOptions, type Surroundings } from './types.js';

const releases = 'https://github.com/grafana/k6/releases/download';
const patience = { answerMs: 5000, stallMs: 10_000 };

/**
 * Downloads k6's official release into `folder`, checked against the release's checksums file. LOADCTL_K6_DOWNLOAD_URL
 * names a mirror of the release page with the same paths below it.
 */
export async function download(folder: string, surroundings: Surroundings, options: FetchOptions): Promise<Fetched> {
  const base = (surroundings.env.LOADCTL_K6_DOWNLOAD_URL || releases).replace(/\/+$/, '');
  if (!URL.canParse(base)) throw new FetchFailure(`LOADCTL_K6_DOWNLOAD_URL is not a valid URL: ${base}`);
  const page = `${base}/v${pinnedVersion}`;
  const transfer = { timeouts: patience, ...options, clock: surroundings.clock };
  const expected = checksumOf(archiveName, await getText(`${page}/k6-v${pinnedVersion}-checksums.txt`, transfer));
  const archive = join(folder, archiveName);
  const actual = await getFile(`${page}/${archiveName}`, archive, transfer);
  if (actual !== expected) {
    throw new FetchFailure(`${archiveName} is corrupt and was removed: its SHA-256 is ${actual}, the checksums file says ${expected}`);
  }
  await unpack(archive, folder, surroundings);
  return { file: join(folder, releaseName, binaryName), how: `downloaded from ${new URL(base).host}, SHA-256 as in the checksums file` };
}

function checksumOf(name: string, checksums: string): string {
  const line = checksums.split('\n').find((text) => text.trim().endsWith(` ${name}`));
  const sum = /^([0-9a-f]{64})\s/i.exec(line?.trim() ?? '')?.[1];
  if (sum === undefined) throw new FetchFailure(`the release has no ${name}`);
  return sum.toLowerCase();
}

/** The tar of Linux reads tar.gz; those of macOS and Windows read zip as well. */
async function unpack(archive: string, folder: string, { env, execute }: Surroundings): Promise<void> {
  const said = await execute({ file: 'tar', args: ['-xf', archive, '-C', folder], env: { PATH: env.PATH ?? '' } }, { timeoutMs: 120_000 });
  if (said.exitCode !== 0) throw new FetchFailure(`tar could not unpack ${archiveName}: ${said.error ?? said.stderr.trim()}`);
}
