import { realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Binaries } from './build.js';
import { type Content, writeImage } from './image.js';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** loadctl as it is built in this clone, with Node, k6 and a shell: what tests run in pods. */
export const loadctlImage = 'localhost/loadctl:test';

/** Writes the images of the cluster into a folder that every node imports from. */
export async function writeImages(binaries: Binaries, folder: string): Promise<void> {
  const pause = { name: 'localhost/pause:1', files: new Map([['/pause', { from: binaries.pause }]]), config: { Entrypoint: ['/pause'] } };
  await writeImage(pause, join(folder, 'pause.tar'));
  const config = { User: '12345:12345', WorkingDir: '/', Env: ['PATH=/usr/local/bin:/usr/bin:/bin'], Cmd: ['loadctl', '--help'] };
  await writeImage({ name: loadctlImage, files: await loadctlFiles(), config }, join(folder, 'loadctl.tar'));
}

async function loadctlFiles(): Promise<ReadonlyMap<string, Content>> {
  const k6 = process.env.LOADCTL_K6;
  if (k6 === undefined) throw new Error('LOADCTL_K6 does not name the k6 of the image');
  return new Map<string, Content>([
    ['/etc/passwd', { text: 'root:x:0:0::/:/bin/sh\nloadctl:x:12345:12345::/tmp:/bin/sh\n' }],
    ['/etc/group', { text: 'root:x:0:\nloadctl:x:12345:\n' }],
    ...(await shell()),
    ...(await program('/usr/local/bin/node', process.execPath)),
    ...(await program('/usr/local/bin/k6', k6)),
    ...(await loadctl()),
    ['/usr/local/bin/loadctl', { link: '/opt/loadctl/bin/loadctl.js' }],
  ]);
}

async function shell(): Promise<[string, Content][]> {
  const { stdout } = await execa('/bin/busybox', ['--list']);
  const links = stdout.split('\n').map((name): [string, Content] => [`/bin/${name}`, { link: '/bin/busybox' }]);
  const others = links.filter(([path]) => path !== '/bin/busybox');
  return [...(await program('/bin/busybox', '/bin/busybox')), ...others, ['/usr/bin/env', { link: '/bin/busybox' }]];
}

/** A program, and the shared libraries that it names, where it looks for them. */
async function program(path: string, file: string): Promise<[string, Content][]> {
  const { stdout, exitCode } = await execa('ldd', [file], { reject: false });
  const libraries = exitCode === 0 ? (stdout.match(/\/\S+/g) ?? []) : []; // a static one has none, which ldd calls an error
  return [[path, { from: realpathSync(file) }], ...libraries.map((library): [string, Content] => [library, { from: library }])];
}

/** As the package would be installed: its files, and what it depends on. */
async function loadctl(): Promise<[string, Content][]> {
  const own = ['package.json', 'bin/loadctl.js', 'dist', 'k6', 'profiles', 'schema'];
  const { stdout } = await execa('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: project, reject: false });
  const packages = stdout.split('\n').slice(1).filter(Boolean);
  if (packages.length === 0) throw new Error(`npm names no packages of ${project}`);
  const names = [...own, ...packages.map((folder) => relative(realpathSync(project), folder))];
  return names.map((path): [string, Content] => [`/opt/loadctl/${path}`, { from: join(project, path) }]);
}
