import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort, keep, temporaryFolder } from '../../examples/servers/keep.js';
import { supervised } from './supervisor.js';

const program = '/usr/bin/victoria-metrics';

/** Whether Debian's VictoriaMetrics is here. In CI its absence is an error: what is skipped there is never looked at. */
export function hasVictoriaMetrics(): boolean {
  const found = existsSync(program);
  if (!found && process.env.CI) throw new Error('There is no victoria-metrics: npm run test:observe installs it.');
  return found;
}

/** Starts a VictoriaMetrics 1.79, and hands back its URL; it is gone when the test is over. */
export async function startVictoriaMetrics(): Promise<string> {
  const folder = temporaryFolder('victoria');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = supervised(folder, undefined, 'SIGTERM', [
    program,
    `-storageDataPath=${join(folder, 'data')}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    '-memory.allowedBytes=200MB',
  ]);
  const kept = await keep(command, folder, async () => (await fetch(`${url}/health`).catch(() => undefined))?.ok === true);
  onTestFinished(() => kept.stop());
  return url;
}
