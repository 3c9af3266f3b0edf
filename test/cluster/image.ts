import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';

/** What is in an image: a file or folder of this machine, a link, or a text. */
export type Content = { readonly from: string } | { readonly link: string } | { readonly text: string };

/** An image of one layer. */
export interface Image {
  /** As pods name it, like `localhost/pause:1`. */
  readonly name: string;
  /** By its path in the image. */
  readonly files: ReadonlyMap<string, Content>;
  /** Of an OCI image's `config`. */
  readonly config: Readonly<Record<string, unknown>>;
}

const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
const type = (name: string) => `application/vnd.oci.image.${name}`;

/** Writes an image as `ctr images import` takes it: an OCI layout in a tar. There is no registry. */
export async function writeImage(image: Image, file: string): Promise<void> {
  const layer = `${file}.layer`;
  await writeTar(layer, (tar) => addLayer(tar, image.files));
  const layerHash = await hashOf(layer);
  const config = { architecture, os: 'linux', config: image.config, rootfs: { type: 'layers', diff_ids: [`sha256:${layerHash}`] } };
  const configBlob = blob(config, type('config.v1+json'));
  const layers = [{ mediaType: type('layer.v1.tar'), digest: `sha256:${layerHash}`, size: statSync(layer).size }];
  const manifest = blob(
    { schemaVersion: 2, mediaType: type('manifest.v1+json'), config: configBlob.descriptor, layers },
    type('manifest.v1+json'),
  );
  await writeLayout({ name: image.name, blobs: [configBlob, manifest], manifest: manifest.descriptor, layer, layerHash }, file);
}

interface Variant {
  readonly name: string;
  /** The index.json of an image that nodes have, and its blobs by their digests. */
  readonly index: string;
  readonly read: (digest: string) => Promise<string>;
  /** The path of a file that is not in it. */
  readonly without: string | undefined;
}

/** Writes an image that has the layers of another one, which nodes have already; only what differs is in the file. */
export async function writeVariant({ name, index, read, without }: Variant, file: string): Promise<void> {
  const base = JSON.parse(await read(JSON.parse(index).manifests[0].digest));
  const config = JSON.parse(await read(base.config.digest));
  const layer = `${file}.layer`;
  await writeTar(layer, async (tar) => {
    if (without === undefined) tar.entry({ name: 'variant' }, name);
    else tar.entry({ name: posix.join(posix.dirname(without), `.wh.${posix.basename(without)}`) }, '');
  });
  const layerHash = await hashOf(layer);
  const diffs = [...config.rootfs.diff_ids, `sha256:${layerHash}`];
  const configBlob = blob({ ...config, rootfs: { type: 'layers', diff_ids: diffs } }, type('config.v1+json'));
  const layers = [...base.layers, { mediaType: type('layer.v1.tar'), digest: `sha256:${layerHash}`, size: statSync(layer).size }];
  const manifest = blob(
    { schemaVersion: 2, mediaType: type('manifest.v1+json'), config: configBlob.descriptor, layers },
    type('manifest.v1+json'),
  );
  await writeLayout({ name, blobs: [configBlob, manifest], manifest: manifest.descriptor, layer, layerHash }, file);
}

interface Layout {
  readonly name: string;
  readonly blobs: readonly { readonly path: string; readonly text: string }[];
  readonly manifest: object;
  readonly layer: string;
  readonly layerHash: string;
}

async function writeLayout({ name, blobs, manifest, layer, layerHash }: Layout, file: string): Promise<void> {
  const annotations = { 'io.containerd.image.name': name };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, platform: { architecture, os: 'linux' }, annotations }] };
  await writeTar(file, async (tar) => {
    tar.entry({ name: 'oci-layout' }, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    tar.entry({ name: 'index.json' }, JSON.stringify(index));
    for (const { path, text } of blobs) tar.entry({ name: path }, text);
    await addFile(tar, `blobs/sha256/${layerHash}`, layer);
  });
  await rm(layer);
}

function blob(value: unknown, mediaType: string) {
  const text = JSON.stringify(value);
  const hash = createHash('sha256').update(text).digest('hex');
  return { path: `blobs/sha256/${hash}`, text, descriptor: { mediaType, digest: `sha256:${hash}`, size: Buffer.byteLength(text) } };
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function writeTar(file: string, add: (tar: Pack) => Promise<void>): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file));
  await add(tar);
  tar.finalize();
  await written;
}

async function addLayer(tar: Pack, files: ReadonlyMap<string, Content>): Promise<void> {
  tar.entry({ name: 'tmp/', type: 'directory', mode: 0o1777 });
  for (const [path, content] of files) {
    const name = path.replace(/^\//, '');
    if ('link' in content) tar.entry({ name, type: 'symlink', linkname: content.link });
    else if ('text' in content) tar.entry({ name, mode: 0o644 }, content.text);
    else await addTree(tar, name, content.from);
  }
}

/** Links are followed: what they name may be outside. A package's own node_modules are packages of their own. */
async function addTree(tar: Pack, name: string, from: string): Promise<void> {
  if (!statSync(from).isDirectory()) return addFile(tar, name, from);
  for (const entry of readdirSync(from).filter((inner) => inner !== 'node_modules'))
    await addTree(tar, posix.join(name, entry), posix.join(from, entry));
}

async function addFile(tar: Pack, name: string, from: string): Promise<void> {
  const { size, mode } = statSync(from);
  await pipeline(createReadStream(from), tar.entry({ name, size, mode: mode & 0o755 }));
}
