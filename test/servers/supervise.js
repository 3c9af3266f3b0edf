// Runs a server until SIGINT, which it passes on as another signal: supervise.js FOLDER UID:GID SIGNAL COMMAND…
// While there is a file FOLDER/down the server stays down. A shell could not do it: it cannot trap what was ignored when it began.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder = '', owner = '', signal = '', file = '', ...args] = process.argv.slice(2);
const [uid, gid] = owner === '' ? [] : owner.split(':').map(Number);
/** @type {import('node:child_process').ChildProcess | undefined} */
let server;
let over = false;
process.on('SIGINT', () => {
  over = true;
  server?.kill(/** @type {NodeJS.Signals} */ (signal));
});
while (!over) {
  if (existsSync(join(folder, 'down'))) {
    await sleep(20);
    continue;
  }
  const child = spawn(file, args, { cwd: '/', stdio: ['ignore', 'inherit', 'inherit'], uid, gid });
  server = child;
  await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
}
