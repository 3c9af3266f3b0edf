// How long `npm run demo` takes in a fresh clone, packages and k6 being in their caches: node bench/demo.js
// Target: the page's path within 90 s.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const limitS = 90;

const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
try {
  const clone = join(folder, 'loadctl');
  const root = fileURLToPath(new URL('..', import.meta.url));
  execFileSync('git', ['clone', '--quiet', root, clone]);
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'demo'], { cwd: clone, encoding: 'utf8' });
  const seconds = (performance.now() - begun) / 1000;
  const page = /^The page of this run, for a browser: (.+)$/m.exec(stdout + stderr)?.[1];
  if (status !== 0 || page === undefined || !existsSync(page)) throw new Error(`the demo ended with ${status}:\n${stdout}${stderr}`);
  console.log(`${seconds.toFixed(0)} s from \`npm run demo\` in a fresh clone to ${page.slice(clone.length + 1)}`);
  console.log(`\n${seconds < limitS ? 'reached' : 'NOT reached'}: below ${limitS} s`);
  process.exitCode = seconds < limitS ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
