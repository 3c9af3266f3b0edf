import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort, keep, temporaryFolder } from '../../examples/servers/keep.js';
import { supervised } from './supervisor.js';

const find = (name: string) =>
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin'].map((folder) => join(folder, name)).find((file) => existsSync(file));

/** Whether Debian's program is here. In CI its absence is an error: what is skipped there is never looked at. */
export function has(program: 'prometheus' | 'prometheus-node-exporter'): boolean {
  const found = find(program) !== undefined;
  if (!found && process.env.CI) throw new Error(`There is no ${program}: npm run test:observe installs it.`);
  return found;
}

/** Starts a node_exporter of this machine, until the test is over; hands back its URL. */
export async function startNodeExporter(): Promise<string> {
  return start('prometheus-node-exporter', '/metrics', (_, port) => [`--web.listen-address=127.0.0.1:${port}`]);
}

/** Starts a Prometheus that scrapes these hosts once a second, until the test is over; hands back its URL. */
export async function startPrometheus(targets: readonly string[] | `file_sd_configs: ${string}`): Promise<string> {
  return start('prometheus', '/-/ready', (folder, port) => {
    const found = typeof targets === 'string' ? targets : `static_configs: [{targets: ${JSON.stringify(targets)}}]`;
    const scrape = `scrape_configs:\n  - job_name: app\n    scrape_interval: 1s\n    scrape_timeout: 1s\n    ${found}\n`;
    writeFileSync(join(folder, 'prometheus.yml'), scrape);
    return [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
  });
}

/** A {@link startPrometheus} whose targets may be others later, as pods are. */
export async function startChangingPrometheus(
  targets: readonly string[],
): Promise<{ url: string; scrape(targets: readonly string[]): void }> {
  const folder = temporaryFolder('targets');
  const file = join(folder, 'targets.json');
  const scrape = (wanted: readonly string[]) => {
    writeFileSync(`${file}.new`, JSON.stringify([{ targets: wanted }]));
    renameSync(`${file}.new`, file);
  };
  scrape(targets);
  return { url: await startPrometheus(`file_sd_configs: [{files: ['${file}'], refresh_interval: 1s}]`), scrape };
}

async function start(program: string, path: string, args: (folder: string, port: number) => readonly string[]): Promise<string> {
  const folder = temporaryFolder(program);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = supervised(folder, undefined, 'SIGTERM', [find(program) ?? program, ...args(folder, port)]);
  const kept = await keep(command, folder, () => answers(url + path));
  onTestFinished(() => kept.stop());
  return url;
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.ok === true;
}
