import { existsSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import type { Content, Image } from './oci.js';

/** nonroot, as images without a user of their own have it. */
const uid = 65_532;
const workplace = '/work';

/** What loadctl's image has in it: this is the one list, for Docker and for the tar that needs none. */
export async function loadctlFiles({ project, k6 }: { readonly project: string; readonly k6: string }): Promise<Image['files']> {
  return new Map<string, Content>([
    ['/etc/passwd', { text: `root:x:0:0::/:/bin/sh\nloadctl:x:${uid}:${uid}::/tmp:/bin/sh\n` }],
    ['/etc/group', { text: `root:x:0:\nloadctl:x:${uid}:\n` }],
    ...certificates(),
    ...(await shell()),
    ...(await program('/usr/local/bin/node', process.execPath)),
    ...(await program('/usr/local/bin/k6', k6)),
    ...(await loadctl(project)),
    ['/usr/local/bin/loadctl', { link: '/opt/loadctl/bin/loadctl.js' }],
    ['/tmp', { writable: true }],
    [workplace, { writable: true }],
  ]);
}

/** How it runs: as the Dockerfile says, too. */
export const loadctlConfig: Image['config'] = {
  User: `${uid}:${uid}`,
  WorkingDir: workplace,
  Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/tmp'],
  Entrypoint: ['loadctl'],
  Cmd: ['--help'],
};

/** Node has its own; k6 asks for those of the system. */
function certificates(): [string, Content][] {
  const file = '/etc/ssl/certs/ca-certificates.crt';
  if (!existsSync(file)) throw new Error(`${file} is missing: k6 would trust no target. Install the package ca-certificates.`);
  return [[file, { from: file }]];
}

async function shell(): Promise<[string, Content][]> {
  const busybox = '/bin/busybox';
  if (!existsSync(busybox)) throw new Error(`${busybox} is missing: agents need its sh. Install the package busybox-static.`);
  const { stdout } = await execa(busybox, ['--list']);
  const links = stdout.split('\n').map((name): [string, Content] => [`/bin/${name}`, { link: busybox }]);
  return [...links.filter(([path]) => path !== busybox), ...(await program(busybox, busybox)), ['/usr/bin/env', { link: busybox }]];
}

/** A program, and the shared libraries that it names, where it looks for them. */
async function program(path: string, file: string): Promise<[string, Content][]> {
  const { stdout, exitCode } = await execa('ldd', [file], { reject: false });
  const libraries = exitCode === 0 ? (stdout.match(/\/\S+/g) ?? []) : []; // a static one has none, which ldd calls an error
  return [[path, { from: realpathSync(file) }], ...libraries.map((library): [string, Content] => [library, { from: library }])];
}

/** As npm would install it: the files of the package, and the packages that it depends on, as the lockfile has them. */
async function loadctl(project: string): Promise<[string, Content][]> {
  const packed = await execa('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: project });
  const files: readonly { readonly path: string }[] = JSON.parse(packed.stdout)[0].files;
  const { stdout } = await execa('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: project, reject: false });
  const packages = stdout.split('\n').slice(1).filter(Boolean);
  if (packages.length === 0) throw new Error(`npm names no packages of ${project}`);
  const paths = [...files.map(({ path }) => path), ...packages.map((folder) => relative(realpathSync(project), folder))];
  return paths.map((path): [string, Content] => [`/opt/loadctl/${path}`, { from: join(project, path) }]);
}
