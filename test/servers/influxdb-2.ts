import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort, keep, temporaryFolder } from '../../examples/servers/keep.js';
import { type Influx, rowsOf } from './influxdb.js';
import { supervised } from './supervisor.js';

/** Where a real InfluxDB 2 is, for who has one: no package that tests could install has it. */
export const influx2 = process.env.LOADCTL_INFLUXD2;

/** What it is set up with. */
export interface Setup {
  readonly token: string;
  readonly org: string;
  readonly bucket: string;
}

/** Starts that InfluxDB 2; it is gone when the test is over. */
export async function startInflux2(program: string, { token, org, bucket }: Setup): Promise<Pick<Influx, 'url' | 'ask'>> {
  const folder = temporaryFolder('influxdb2');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const places = ['bolt', 'sqlite', 'engine'].map((what) => `--${what}-path=${join(folder, what)}`);
  const command = supervised(folder, undefined, 'SIGTERM', [
    program,
    `--http-bind-address=127.0.0.1:${port}`,
    '--reporting-disabled',
    ...places,
  ]);
  const kept = await keep(command, folder, async () => (await fetch(`${url}/health`).catch(() => undefined))?.ok === true);
  onTestFinished(() => kept.stop());
  const setup = JSON.stringify({ username: 'tests', password: 'of the tests', org, bucket, token });
  const answer = await fetch(`${url}/api/v2/setup`, { method: 'POST', body: setup });
  if (!answer.ok) throw new Error(`InfluxDB 2 is not set up: ${await answer.text()}`);
  return {
    url,
    ask: async (query) => {
      const asked = new URLSearchParams({ db: bucket, q: query, epoch: 'ms' });
      return rowsOf(await fetch(`${url}/query?${asked}`, { headers: { authorization: `Token ${token}` } }));
    },
  };
}
