import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { loadctlConfig } from '../../deploy/image/contents.js';
import { type Content, layOut, pathOf, writeImage } from '../../deploy/image/oci.js';

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-image-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder of files, and what an image would have of it. */
function content(folder: string): ReadonlyMap<string, Content> {
  mkdirSync(join(folder, 'app', 'deep'), { recursive: true });
  writeFileSync(join(folder, 'app', 'run.sh'), 'echo run\n', { mode: 0o700 });
  writeFileSync(join(folder, 'app', 'deep', 'data'), 'd'.repeat(70_000), { mode: 0o666 });
  return new Map<string, Content>([
    ['/opt/app', { from: join(folder, 'app') }],
    ['/etc/motd', { text: 'welcome\n' }],
    ['/bin/run', { link: '/opt/app/run.sh' }],
    ['/work', { writable: true }],
  ]);
}

const tar = (...args: string[]) => execFileSync('tar', args, { encoding: 'utf8' });
const linesOf = (text: string) => text.split('\n').filter(Boolean).sort();
/** Every file, link and writable folder below a folder: its mode, and what is in it. */
const listed = (folder: string) =>
  linesOf(
    execFileSync(
      'sh',
      [
        '-c',
        `find . -type f -exec sha256sum {} + && find . -type f -printf '%m %p\\n' -o -type l -printf '%l %p\\n' -o -perm 1777 -printf '%m %p\\n'`,
      ],
      { cwd: folder, encoding: 'utf8' },
    ),
  );

test('an image in a tar has what the same content has in a folder, and the same bytes each time', async () => {
  const place = temporary();
  const files = content(place);
  const image = { name: 'localhost/app:1', files, config: { Cmd: ['/bin/run'] } };
  const [one, other] = [join(place, 'one.tar'), join(place, 'other.tar')];
  await writeImage(image, one);
  await writeImage(image, other);
  expect(readFileSync(one).equals(readFileSync(other))).toBe(true);

  const read = (path: string) => JSON.parse(tar('-xOf', one, path));
  const [described] = read('index.json').manifests;
  expect(described.annotations).toEqual({ 'io.containerd.image.name': 'localhost/app:1' });
  const manifest = read(pathOf(described.digest));
  expect(read(pathOf(manifest.config.digest))).toMatchObject({ os: 'linux', config: image.config });

  const unpacked = join(place, 'unpacked');
  mkdirSync(unpacked);
  const layer = execFileSync('tar', ['-xOf', one, pathOf(manifest.layers[0].digest)], { maxBuffer: 1e7 });
  expect(`sha256:${createHash('sha256').update(layer).digest('hex')}`).toBe(manifest.layers[0].digest);
  execFileSync('tar', ['-xpf', '-', '-C', unpacked], { input: layer });
  await layOut(files, join(place, 'laid-out'));
  expect(listed(unpacked)).toEqual(listed(join(place, 'laid-out')));
  expect(listed(unpacked)).toEqual(
    expect.arrayContaining(['1777 ./work', '/opt/app/run.sh ./bin/run', '700 ./opt/app/run.sh', '644 ./opt/app/deep/data']),
  );
});

test('the Dockerfile runs it as the tar does, and fetches nothing on its own', () => {
  const dockerfile = readFileSync(fileURLToPath(new URL('../../deploy/Dockerfile', import.meta.url)), 'utf8');
  const said = (word: string) =>
    dockerfile
      .match(new RegExp(`^${word} (.+)$`, 'gm'))
      ?.at(-1)
      ?.replace(`${word} `, '') ?? '';
  expect({
    User: said('USER'),
    WorkingDir: said('WORKDIR'),
    Env: said('ENV').split(' '),
    Entrypoint: JSON.parse(said('ENTRYPOINT')),
    Cmd: JSON.parse(said('CMD')),
  }).toEqual(loadctlConfig);
  const [, final = ''] = dockerfile.split('FROM scratch');
  expect(final.match(/^(COPY|ADD|RUN) .*$/gm)).toEqual(['COPY --from=build /image/ /']);
  expect(dockerfile).toContain('npm run image -- --folder /image');
});
