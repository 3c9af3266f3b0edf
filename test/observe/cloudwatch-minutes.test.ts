import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inEnvironment, knownKey, minuteOf, rdsProfile, startCloudWatch } from '../servers/cloudwatch.js';
import { searchFolder, secretSearch } from '../support/secret-search.js';
import { rowOf, watchedPlace } from '../support/watched-run.js';

const search = secretSearch([{ name: 'secret key', text: knownKey.secretAccessKey }]);

test('a run waits for its last points, judges whole minutes alone, and `verify --fetch` judges by what came since', {
  timeout: 480_000,
}, async () => {
  const aws = await startCloudWatch();
  aws.lateMs = 70_000;
  // Three whole minutes lie in the load, the first of which begins at this one; a fourth before them where a minute is nearly over
  // and the load begins in what is left of it: that one is their mean, and changes nothing but the number of samples.
  const now = Date.now();
  const isEarly = minuteOf(now) + 60_000 - now <= 25_000;
  const first = minuteOf(now) + (isEarly ? 120_000 : 60_000);
  const seconds = Math.ceil((first - now) / 1000) + 181;
  const cpu = [50, 70, 90];
  let revised = 0;
  aws.values = (metric, minute) => {
    const at = (minute - first) / 60_000;
    const index = isEarly && at === -1 ? 1 : at;
    const inside = index >= 0 && index < 3;
    if (metric.includes('CPUUtilization')) return (inside ? (cpu[index] ?? 0) : 100) + (at === 2 ? revised : 0);
    if (metric.includes('DatabaseConnections')) return inside ? 100 * (index + 1) : 400;
    return metric.includes('FreeableMemory') ? (4 - (inside ? index : 4)) * 1e9 : undefined;
  };
  const profile = `${rdsProfile(aws, ', maxConnections: 400, memory: 8GB').replace('{cpu: < 80%}', '{cpu: < 75%, memory: < 80%, dbConnections: < 80%, rds.connectionsUsed: avg < 250}')}`;
  const at = await watchedPlace(profile, `${seconds}s`);
  const env = { ...at.env, ...inEnvironment };
  const planned = await at.loadctl(['plan', '--env', 'dev'], env);
  expect(planned.stdout).toMatch(/a point a minute: [234] or [345] in the judged window/);
  const said = await at.loadctl(['run', '--env', 'dev'], env);
  const waited = Date.now();

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  expect(said.stderr).toContain('waiting up to 3m for the last points of rds');
  const judged = at.judged();
  const { samples } = rowOf(judged, 'cpu').monitored ?? {};
  expect(isEarly ? [3, 4] : [3]).toContain(samples);
  expect(rowOf(judged, 'cpu')).toMatchObject({ outcome: 'pass', monitored: { source: 'eu-central-1/shop', stat: 'avg' } });
  expect(rowOf(judged, 'cpu').actual).toBeCloseTo(0.7, 6);
  expect(rowOf(judged, 'memory').actual).toBeCloseTo(1 - 2e9 / 8e9, 6);
  expect(rowOf(judged, 'dbConnections')).toMatchObject({ actual: 0.75 });
  expect(rowOf(judged, 'rds.connectionsUsed').actual).toBeCloseTo(200, 6);
  const [ended] = at.told('load-ended');
  expect(waited - (first + 180_000)).toBeGreaterThanOrEqual(120_000);
  expect(waited - Number(ended?.at)).toBeLessThan(190_000);

  // What CloudWatch says of the last minute was not its last word.
  revised = 30;
  const asked = aws.requests.length;
  const alone = await at.loadctl(['verify'], at.env);
  expect(alone).toMatchObject({ code: 0 });
  expect(aws.requests.length).toBe(asked);
  const again = await at.loadctl(['verify', '--fetch'], env);
  expect(again, again.stdout + again.stderr).toMatchObject({ code: 99 });
  expect(rowOf(at.judged(), 'cpu')).toMatchObject({ outcome: 'fail', monitored: { samples } });
  expect(rowOf(at.judged(), 'cpu').actual).toBeCloseTo(0.7 + 0.3 / Number(samples), 6);
  expect(await at.loadctl(['verify'], at.env)).toMatchObject({ code: 99 });
  const attached = await at.loadctl(['attach'], at.env);
  expect(attached.stderr).toContain('Judged again since');
  const told = (words: string) => attached.stdout.lastIndexOf(words);
  expect([told('PASS') >= 0, told('FAIL') > told('PASS')]).toEqual([true, true]);
  expect(at.told('judged').map(({ verdict }) => (verdict as { verdict: string }).verdict)).toEqual(['pass', 'fail']);
  expect(searchFolder(join(at.folder, '.loadctl'), search)).toEqual([]);
});
