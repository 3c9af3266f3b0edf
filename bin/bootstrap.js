#!/usr/bin/env node
// Makes a fresh clone ready: packages, build, k6, Redis. Needs Node and nothing else; does only what is not done yet.
import { rmSync } from 'node:fs';
import { browser } from './bootstrap/browser.js';
import { build } from './bootstrap/build.js';
import { canBundle } from './bootstrap/bundle.js';
import { cluster } from './bootstrap/cluster.js';
import { k6 } from './bootstrap/k6.js';
import { observed } from './bootstrap/observed.js';
import { packages } from './bootstrap/packages.js';
import { pgbouncer } from './bootstrap/pgbouncer.js';
import { redis } from './bootstrap/redis.js';
import { inRoot, interrupted, Unready } from './bootstrap/shell.js';
import { shells } from './bootstrap/shells.js';
import { sshd } from './bootstrap/sshd.js';

process.stdout.on('error', () => {}); // its reader may leave (`| head`)

let current = '';

/** Says what is going on, over the same line; only where somebody watches. */
function status(text) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K  ${current}  ${text}`);
}

/** Says something that is worth a line of its own everywhere. */
function note(text) {
  process.stdout.write(`${process.stdout.isTTY ? '\r\x1b[K' : ''}  ${current}  ${text}\n`);
}

async function step(name, work) {
  current = name.padEnd(8);
  const begun = performance.now();
  const detail = await work(status, note);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  process.stdout.write(`${process.stdout.isTTY ? '\r\x1b[K' : ''}✓ ${current}  ${detail} (${seconds} s)\n`);
}

function checkNode() {
  if (Number.parseInt(process.versions.node, 10) < 20)
    throw new Unready(`this is Node ${process.versions.node}: loadctl needs Node 20 or newer`, 'Install it from https://nodejs.org');
  if (!canBundle())
    process.stdout.write(`  node      ${process.versions.node} will do for the demo; the tests need 20.19, 22.12 or newer\n`);
}

function tell(error) {
  if (interrupted.signal.aborted) return;
  const lines = [`✗ ${current}  ${error.message}`, ...(error.lines ?? []).map((line) => `  ${line}`)];
  const fix = error.fix ?? error.hint;
  process.stderr.write(`${process.stdout.isTTY ? '\n' : ''}${[...lines, ...(fix ? [`  ${fix}`] : [])].join('\n')}\n`);
}

for (const [signal, exitStatus] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    process.exitCode = exitStatus;
    interrupted.abort(new Error(`interrupted by ${signal}`));
  });
}

try {
  checkNode();
  if (process.argv.includes('--clean')) rmSync(inRoot('dist'), { recursive: true, force: true });
  await step('packages', packages);
  await step('build', (status) => build(status, process.argv.includes('--clean')));
  if (!process.argv.includes('--build')) {
    await step('k6', k6);
    await step('redis', redis);
    if (process.argv.includes('--tests')) {
      await step('sshd', sshd);
      await step('pooler', pgbouncer);
      await step('shells', shells);
      if (process.argv.includes('--page')) await step('browser', browser);
      if (process.argv.includes('--observe')) await step('observed', observed);
      if (process.argv.includes('--cluster')) await step('cluster', cluster);
    }
  }
} catch (error) {
  tell(error);
  process.exitCode ||= error.status ?? (error.reason === 'unavailable' ? 115 : 1);
}
