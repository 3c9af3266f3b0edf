import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot, mustRun } from './shell.js';

/** Compiles src and examples where the sources are not those of the last build. */
export async function build(status) {
  const stamp = inRoot('dist', '.built-from');
  const sources = hashOf(['src', 'examples', 'tsconfig.json', 'package-lock.json']);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return 'up to date';
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
  mkdirSync(inRoot('dist'), { recursive: true });
  writeFileSync(stamp, sources);
  return 'tsc';
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
