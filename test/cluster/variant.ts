import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { clusterFolder, inNode, type Node } from './cluster.js';
import { writeVariant } from './image.js';
import { loadctlImage } from './images.js';

/** Gives nodes an image like loadctl's own under another name: `without` is a file that it does not have. */
export async function giveVariant(name: string, nodes: readonly Node[], { without }: { readonly without?: string } = {}): Promise<void> {
  const folder = join(clusterFolder(), 'images');
  const file = join(clusterFolder(), `variant-${randomBytes(4).toString('hex')}.tar`);
  const { stdout: index } = await execa('tar', ['--extract', '--to-stdout', '--file', join(folder, 'loadctl.tar'), 'index.json']);
  const read = async (digest: string) => {
    const path = `blobs/${digest.replace(':', '/')}`;
    return (await execa('tar', ['--extract', '--to-stdout', '--file', join(folder, 'loadctl.tar'), path])).stdout;
  };
  await writeVariant({ name, index, read, without }, file);
  for (const node of nodes) await inNode(node, ['ctr', '-n', 'k8s.io', 'images', 'import', file]);
  rmSync(file);
}

/** Has nodes know loadctl's own image by another name. */
export async function nameImage(name: string, nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) await inNode(node, ['ctr', '-n', 'k8s.io', 'images', 'tag', '--force', loadctlImage, name]);
}
