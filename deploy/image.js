// Makes loadctl's image without Docker: `npm run image` writes an OCI tar, `npm run image -- --folder DIR` lays its content out in a folder.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execute, inRoot, interrupted, Unready } from '../bin/bootstrap/shell.js';
import { loadctlConfig, loadctlFiles } from '../dist/image/contents.js';
import { layOut, writeImage } from '../dist/image/oci.js';
import { resolveK6 } from '../dist/k6/binary/index.js';

const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
const note = (line) => process.stdout.write(`${line}\n`);

/** The pinned k6 alone, whose checksum was looked at when it was fetched: whatever is on this machine's PATH does not go into an image. */
function pinnedK6() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => !existsSync(join(folder, 'k6')));
  const env = { ...process.env, PATH: folders.join(delimiter), LOADCTL_K6: '' };
  const clock = { sleep: (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}) };
  return resolveK6({ env, home: homedir(), cwd: process.cwd(), execute, clock }, { progress: note, signal: interrupted.signal });
}

async function make({ folder, output = `loadctl-${version}.oci.tar`, name = `localhost/loadctl:${version}` }) {
  if (process.platform !== 'linux')
    throw new Unready(`an image has the Node of this machine, and this is ${process.platform}`, 'Make it on Linux.');
  const k6 = await pinnedK6();
  note(`k6 v${k6.version}: ${k6.path}`);
  const files = await loadctlFiles({ project: inRoot(), k6: k6.path });
  if (folder !== undefined) {
    if (existsSync(folder)) throw new Unready(`${folder} is there already`, 'Name a folder that is not.', 2);
    await layOut(files, resolve(folder));
    return note(`Laid out in ${folder}`);
  }
  await writeImage({ name, files, config: loadctlConfig }, resolve(output));
  note(`${name} is in ${output}. Import it on a node: ctr -n k8s.io images import ${output}`);
}

try {
  const { values } = parseArgs({ options: { folder: { type: 'string' }, output: { type: 'string' }, name: { type: 'string' } } });
  await make(values);
} catch (error) {
  process.stderr.write(`${error.message}\n${error.fix ?? error.hint ?? ''}\n`);
  process.exitCode = error.status ?? (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? 2 : 1);
}
