#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';

// The first process of a pod is not ended by a signal that it does not listen to, and it takes a moment until it does.
if (process.pid === 1) process.on('SIGTERM', () => process.listenerCount('SIGTERM') === 1 && process.exit(143));

// In the pod of a runner it is only what carries its lines (src/carry.ts), and at a Tab what answers the shell (src/complete.ts).
const [command, separator] = process.argv.slice(2);
const isCarrier = command === 'carry' && process.env.LOADCTL_CONDUCTOR !== undefined;
const entry = isCarrier ? 'carry.js' : command === 'complete' && separator === '--' ? 'complete.js' : 'cli.js';
const cli = new URL(`../dist/${entry}`, import.meta.url);
if (existsSync(cli)) {
  module.enableCompileCache?.();
  process.noDeprecation = process.env.LOADCTL_DEBUG !== '1'; // what libraries announce to their callers, users cannot change
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'; // which Node it will want some day is our affair
  if (process.env.LOADCTL_DEBUG === '1') process.setSourceMapsEnabled(true); // its traces then name files of src
  const { main } = await import(cli.href);
  await main(process);
} else {
  process.stderr.write('loadctl is not built. In a clone, run: npm run bootstrap\n');
  process.exitCode = 115;
}
