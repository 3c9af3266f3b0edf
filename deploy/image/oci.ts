import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readdirSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Header, type Pack, pack } from 'tar-stream';

/** What is in an image: a file or folder of this machine, a link, a text, or an empty folder that everybody may write to. */
export type Content = { readonly from: string } | { readonly link: string } | { readonly text: string } | { readonly writable: true };

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

/** What is below a layer: an image's config without its `rootfs`, and the layers before. */
export interface Base {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: readonly object[];
  readonly diffIds: readonly string[];
}

/** Writes an image as `ctr images import` takes it: an OCI layout in a tar. The same content makes the same bytes. */
export async function writeImage({ name, files, config }: Image, file: string): Promise<void> {
  const base = { config: { architecture, os: 'linux', config }, layers: [], diffIds: [] };
  await writeLayered(name, base, (tar) => addLayer(tar, files), file);
}

/** Writes an image of one more layer; those below have to be where it is imported. */
export async function writeLayered(name: string, base: Base, add: (tar: Pack) => Promise<void>, file: string): Promise<void> {
  const layer = `${file}.layer`;
  await writeTar(layer, add);
  const digest = `sha256:${await hashOf(layer)}`;
  const config = blob({ ...base.config, rootfs: { type: 'layers', diff_ids: [...base.diffIds, digest] } }, type('config.v1+json'));
  const layers = [...base.layers, { mediaType: type('layer.v1.tar'), digest, size: statSync(layer).size }];
  const mediaType = type('manifest.v1+json');
  const manifest = blob({ schemaVersion: 2, mediaType, config: config.descriptor, layers }, mediaType);
  const annotations = { 'io.containerd.image.name': name };
  const index = { schemaVersion: 2, manifests: [{ ...manifest.descriptor, platform: { architecture, os: 'linux' }, annotations }] };
  await writeTar(file, async (tar) => {
    addEntry(tar, { name: 'oci-layout' }, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    addEntry(tar, { name: 'index.json' }, JSON.stringify(index));
    for (const { path, text } of [config, manifest]) addEntry(tar, { name: path }, text);
    await addFile(tar, pathOf(digest), layer);
  });
  await rm(layer);
}

/** Where a blob is in an OCI layout. */
export const pathOf = (digest: string) => `blobs/${digest.replace(':', '/')}`;

/** Lays out in a folder what the layer of an image has, with its modes: what `COPY` puts into an image from scratch. */
export async function layOut(files: Image['files'], folder: string): Promise<void> {
  for (const { name, content } of entriesOf(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    if ('link' in content) await symlink(content.link, path);
    else if ('text' in content) await writeFile(path, content.text, { mode: 0o644 });
    else if ('writable' in content) await mkdir(path).then(() => chmod(path, writable));
    else await copyFile(content.from, path).then(() => chmod(path, modeOf(content.from)));
  }
}

function blob(value: unknown, mediaType: string) {
  const text = JSON.stringify(value);
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return { path: pathOf(digest), text, descriptor: { mediaType, digest, size: Buffer.byteLength(text) } };
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

const writable = 0o1777;
/** The same for every file: an image is told by its bytes. */
const mtime = new Date(0);

const modeOf = (file: string) => statSync(file).mode & 0o755;

async function addLayer(tar: Pack, files: Image['files']): Promise<void> {
  for (const { name, content } of entriesOf(files)) {
    if ('link' in content) addEntry(tar, { name, type: 'symlink', linkname: content.link });
    else if ('text' in content) addEntry(tar, { name, mode: 0o644 }, content.text);
    else if ('writable' in content) addEntry(tar, { name: `${name}/`, type: 'directory', mode: writable });
    else await addFile(tar, name, content.from);
  }
}

/** Each file by itself, in order of paths; names have no slash before them. */
function entriesOf(files: Image['files']): { readonly name: string; readonly content: Content }[] {
  const all = [...files].flatMap(([path, content]) => {
    const name = path.replace(/^\//, '');
    return 'from' in content ? filesBelow(name, content.from) : [{ name, content }];
  });
  return all.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Links are followed: what they name may be outside. A package's own node_modules are packages of their own. */
function filesBelow(name: string, from: string): { readonly name: string; readonly content: Content }[] {
  if (!statSync(from).isDirectory()) return [{ name, content: { from } }];
  const inside = readdirSync(from).filter((entry) => entry !== 'node_modules');
  return inside.flatMap((entry) => filesBelow(posix.join(name, entry), posix.join(from, entry)));
}

function addEntry(tar: Pack, header: Partial<Header> & Pick<Header, 'name'>, text?: string): void {
  if (text === undefined) tar.entry({ mtime, ...header });
  else tar.entry({ mtime, ...header }, text);
}

async function addFile(tar: Pack, name: string, from: string): Promise<void> {
  await pipeline(createReadStream(from), tar.entry({ mtime, name, size: statSync(from).size, mode: modeOf(from) }));
}
