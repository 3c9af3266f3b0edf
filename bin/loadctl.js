#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';

const cli = new URL('../dist/cli.js', import.meta.url);
if (existsSync(cli)) {
  module.enableCompileCache?.();
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'; // which Node it will want some day is our affair
  if (process.env.LOADCTL_DEBUG === '1') process.setSourceMapsEnabled(true); // its traces then name files of src
  const { main } = await import(cli.href);
  await main();
} else {
  process.stderr.write('loadctl is not built. In a clone, run: npm run bootstrap\n');
  process.exitCode = 115;
}
