import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort, keep, temporaryFolder } from '../../examples/servers/keep.js';
import { supervised } from './supervisor.js';

const program = '/usr/bin/prometheus';

/** Whether Debian's Prometheus is here. In CI its absence is an error: what is skipped there is never looked at. */
export function hasPrometheus(): boolean {
  const found = existsSync(program);
  if (!found && process.env.CI) throw new Error('There is no prometheus: npm run test:observe installs it.');
  return found;
}

/** A sample as Prometheus answers with it: seconds, and the value as a text. */
type Answered = readonly [number, string];

/** A series of an answer. */
export interface Answer {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Answered;
  readonly values?: readonly Answered[];
}

/** A Prometheus that remote writes may go to. */
export interface Receiver {
  readonly url: string;
  /** What it answers to a query, at that moment or now. */
  ask(query: string, at?: number): Promise<readonly Answer[]>;
}

/** Starts a Prometheus 2.42 that takes remote writes, and native histograms only where it is told to; it is gone when the test is over. */
export async function startReceiver(features: readonly string[]): Promise<Receiver> {
  const folder = temporaryFolder('receiver');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(join(folder, 'prometheus.yml'), 'scrape_configs: []\n');
  const command = supervised(folder, undefined, 'SIGTERM', [
    program,
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
    ...features.map((feature) => `--enable-feature=${feature}`),
  ]);
  const kept = await keep(command, folder, async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true);
  onTestFinished(() => kept.stop());
  return {
    url,
    ask: async (query, at) => {
      const asked = new URLSearchParams({ query, ...(at === undefined ? {} : { time: String(at) }) });
      const answer = (await (await fetch(`${url}/api/v1/query?${asked}`)).json()) as { error?: string; data: { result: Answer[] } };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.data.result;
    },
  };
}
