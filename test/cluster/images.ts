import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadctlConfig, loadctlFiles } from '../../deploy/image/contents.js';
import { writeImage } from '../../deploy/image/oci.js';
import type { Binaries } from './build.js';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** loadctl as it is built in this clone, as `npm run image` would make it: what tests run in pods. */
export const loadctlImage = 'localhost/loadctl:test';

/** Writes the images of the cluster into a folder that every node imports from. */
export async function writeImages(binaries: Binaries, folder: string): Promise<void> {
  const pause = { name: 'localhost/pause:1', files: new Map([['/pause', { from: binaries.pause }]]), config: { Entrypoint: ['/pause'] } };
  await writeImage(pause, join(folder, 'pause.tar'));
  await writeImage({ name: loadctlImage, files: await testedFiles(), config: loadctlConfig }, join(folder, 'loadctl.tar'));
}

function testedFiles() {
  const k6 = process.env.LOADCTL_K6;
  if (k6 === undefined) throw new Error('LOADCTL_K6 does not name the k6 of the image');
  return loadctlFiles({ project, k6 });
}
