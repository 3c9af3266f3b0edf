import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { freePort, keep, temporaryFolder } from '../../examples/servers/keep.js';
import { supervised } from './supervisor.js';

const program = '/usr/bin/influxd';

/** Whether Debian's InfluxDB is here. In CI its absence is an error: what is skipped there is never looked at. */
export function hasInflux(): boolean {
  const found = existsSync(program);
  if (!found && process.env.CI) throw new Error('There is no influxd: npm run test:observe installs it.');
  return found;
}

/** An InfluxDB 1.6 of a test's own, that may die and come back with its data. */
export interface Influx {
  readonly url: string;
  /** The rows of an InfluxQL query, each by its columns; tags of its series are among them. */
  ask(query: string): Promise<Record<string, unknown>[]>;
  /** Kills it. */
  down(): Promise<void>;
  /** Starts it again, and waits until it answers. */
  up(): Promise<void>;
}

/** Starts one; it is gone when the test is over. */
export async function startInflux(): Promise<Influx> {
  const folder = temporaryFolder('influxdb');
  const [port, rpc] = [await freePort(), await freePort()];
  const pidFile = join(folder, 'pid');
  const stay = join(folder, 'down');
  const config = `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${join(folder, 'meta')}"
[data]
  dir = "${join(folder, 'data')}"
  wal-dir = "${join(folder, 'wal')}"
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
[monitor]
  store-enabled = false
[ifql]
  enabled = false
`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'influxdb.conf'), config);
  const url = `http://127.0.0.1:${port}`;
  const command = supervised(folder, undefined, 'SIGTERM', [program, '-config', join(folder, 'influxdb.conf'), '-pidfile', pidFile]);
  const answers = async () => (await fetch(`${url}/ping`).catch(() => undefined))?.ok === true;
  const kept = await keep(command, folder, answers);
  onTestFinished(() => kept.stop());
  return {
    url,
    ask: (query) => ask(url, query),
    down: async () => {
      const pid = Number(readFileSync(pidFile, 'utf8'));
      writeFileSync(stay, '');
      process.kill(pid, 'SIGKILL');
      while (await answers()) await sleep(20);
    },
    up: async () => {
      rmSync(stay);
      while (!(await answers())) await sleep(20);
    },
  };
}

interface Series {
  readonly tags?: Record<string, string>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

async function ask(url: string, query: string): Promise<Record<string, unknown>[]> {
  return rowsOf(await fetch(`${url}/query?${new URLSearchParams({ db: 'k6', q: query, epoch: 'ms' })}`));
}

/** The rows of an answer to an InfluxQL query. */
export async function rowsOf(answer: Response): Promise<Record<string, unknown>[]> {
  const { results } = (await answer.json()) as { results: { series?: Series[]; error?: string }[] };
  const [result] = results;
  if (result?.error !== undefined) throw new Error(result.error);
  return (result?.series ?? []).flatMap(({ tags, columns, values }) =>
    values.map((row) => ({ ...tags, ...Object.fromEntries(columns.map((column, index) => [column, row[index]])) })),
  );
}
