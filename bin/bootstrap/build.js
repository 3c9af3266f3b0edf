import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle, canBundle } from './bundle.js';
import { inRoot, mustRun, Unready } from './shell.js';

/** Compiles src and examples, and bundles loadctl, where the sources are not those of the last build. What is `published` has to be bundled. */
export async function build(status, published = false) {
  if (published && !canBundle()) throw new Unready('a package is bundled, and for that it takes Node 20.19, 22.12 or newer');
  const stamp = inRoot('dist', '.built-from');
  const sources = hashOf([
    'src',
    'examples',
    'tsconfig.json',
    'package-lock.json',
    'package.json',
    'bin/bootstrap/bundle.js',
    'bin/bootstrap/build.js',
  ]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(sources)) return 'up to date';
  rmSync(stamp, { force: true });
  for (const project of ['.', 'examples']) {
    status(`tsc -p ${project}`);
    await mustRun(
      `tsc -p ${project}`,
      { file: process.execPath, args: [inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', project] },
      undefined,
      1,
    );
  }
  if (canBundle()) {
    status('rolldown');
    await bundle();
  }
  await writeWords();
  writeFileSync(stamp, stampOf(sources));
  return canBundle() ? 'tsc, rolldown' : 'tsc; loadctl starts slower than where Node 20.19 or 22.12 bundles it';
}

/** What shells complete, out of the commands themselves: a Tab is answered without loading them. */
async function writeWords() {
  const built = (...names) => import(pathToFileURL(inRoot('dist', 'commands', ...names)).href);
  const [{ typedCommands }, { commandWords }] = await Promise.all([built('table.js'), built('completion', 'command-words.js')]);
  writeFileSync(inRoot('dist', 'completion.json'), JSON.stringify(await commandWords(typedCommands)));
}

/** With the file that is started in it: tsc alone writes another one there. */
function stampOf(sources) {
  const started = inRoot('dist', 'cli.js');
  return existsSync(started) ? `${sources} ${hashOf(['dist/cli.js'])}` : '';
}

function hashOf(names) {
  const hash = createHash('sha256');
  for (const file of names.flatMap(filesBelow))
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(inRoot(file)))
      .update('\0');
  return hash.digest('hex');
}

function filesBelow(name) {
  if (!statSync(inRoot(name)).isDirectory()) return [name];
  const inside = readdirSync(inRoot(name)).sort();
  return inside.flatMap((entry) => filesBelow(join(name, entry)));
}
