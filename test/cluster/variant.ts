import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join, posix } from 'node:path';
import { execa } from 'execa';
import { pathOf, writeLayered } from '../../deploy/image/oci.js';
import { clusterFolder, inNode, type Node } from './cluster.js';
import { loadctlImage } from './images.js';

/** Gives nodes an image like loadctl's own under another name: `without` is a file that it does not have. Only what differs is written. */
export async function giveVariant(name: string, nodes: readonly Node[], { without }: { readonly without?: string } = {}): Promise<void> {
  const file = join(clusterFolder(), `variant-${randomBytes(4).toString('hex')}.tar`);
  const {
    manifests: [{ digest }],
  } = await read('index.json');
  const { config, layers } = await read(pathOf(digest));
  const { rootfs, ...rest } = await read(pathOf(config.digest));
  await writeLayered(
    name,
    { config: rest, layers, diffIds: rootfs.diff_ids },
    async (tar) => {
      if (without === undefined) tar.entry({ name: 'variant' }, name);
      else tar.entry({ name: posix.join(posix.dirname(without), `.wh.${posix.basename(without)}`) }, '');
    },
    file,
  );
  for (const node of nodes) await inNode(node, ['ctr', '-n', 'k8s.io', 'images', 'import', file]);
  rmSync(file);
}

/** A JSON file of the image that nodes have. */
async function read(path: string) {
  const image = join(clusterFolder(), 'images', 'loadctl.tar');
  return JSON.parse((await execa('tar', ['--extract', '--to-stdout', '--file', image, path])).stdout);
}

/** Has nodes know loadctl's own image by another name. */
export async function nameImage(name: string, nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) await inNode(node, ['ctr', '-n', 'k8s.io', 'images', 'tag', '--force', loadctlImage, name]);
}
