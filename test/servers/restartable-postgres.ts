import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { keep } from '../../examples/servers/keep.js';
import { preparePostgres } from '../../examples/servers/postgres.js';
import { supervised } from './supervisor.js';

/** A Postgres that goes away and comes back, as a primary that fails over does, and keeps its data meanwhile. */
export interface RestartablePostgres {
  readonly url: string;
  readonly port: number;
  /** Ends it; its clients are told, and then nobody listens. */
  down(): Promise<void>;
  /** Starts it again, and waits until it answers. */
  up(): Promise<void>;
}

/** Starts one; it is gone when the test is over. */
export async function startRestartablePostgres(): Promise<RestartablePostgres> {
  const { folder, owner, command, port, url, isReady } = await preparePostgres();
  const kept = await keep(supervised(folder, owner, 'SIGINT', command), folder, isReady);
  onTestFinished(() => kept.stop());
  const [stay, pidFile] = [join(folder, 'down'), join(folder, 'data', 'postmaster.pid')];
  return {
    url: url('postgres'),
    port,
    async down() {
      const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
      writeFileSync(stay, '');
      process.kill(pid, 'SIGINT');
      while (isAlive(pid)) await sleep(20);
    },
    async up() {
      rmSync(stay);
      while (!isReady()) await sleep(20);
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
