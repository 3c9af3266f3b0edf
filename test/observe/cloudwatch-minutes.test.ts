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
  // Three whole minutes lie in the load, the first of which begins at this one.
  const now = Date.now();
  const first = minuteOf(now) + (minuteOf(now) + 60_000 - now > 25_000 ? 60_000 : 120_000);
  const seconds = Math.ceil((first - now) / 1000) + 181;
  const cpu = [50, 70, 90];
  let revised = 0;
  aws.values = (metric, minute) => {
    const index = (minute - first) / 60_000;
    const inside = index >= 0 && index < 3;
    if (metric.includes('CPUUtilization')) return (inside ? (cpu[index] ?? 0) : 100) + (index === 2 ? revised : 0);
    if (metric.includes('DatabaseConnections')) return inside ? 100 * (index + 1) : 400;
    return metric.includes('FreeableMemory') ? (4 - (inside ? index : 4)) * 1e9 : undefined;
  };
  const profile = `${rdsProfile(aws, ', maxConnections: 400, memory: 8GB').replace('{cpu: < 80%}', '{cpu: < 75%, memory: < 80%, dbConnections: < 80%, rds.connectionsUsed: avg < 250}')}`;
  const at = await watchedPlace(profile, `${seconds}s`);
  const env = { ...at.env, ...inEnvironment };
  const planned = await at.loadctl(['plan', '--env', 'dev'], env);
  expect(planned.stdout).toMatch(/a point a minute: [23] or [34] in the judged window/);
  const said = await at.loadctl(['run', '--env', 'dev'], env);
  const waited = Date.now();

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  expect(said.stderr).toContain('waiting up to 3m for the last points of rds');
  const judged = at.judged();
  expect(rowOf(judged, 'cpu')).toMatchObject({ outcome: 'pass', monitored: { source: 'eu-central-1/shop', stat: 'avg', samples: 3 } });
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
  expect(rowOf(at.judged(), 'cpu')).toMatchObject({ outcome: 'fail', monitored: { samples: 3 } });
  expect(rowOf(at.judged(), 'cpu').actual).toBeCloseTo(0.8, 6);
  expect(await at.loadctl(['verify'], at.env)).toMatchObject({ code: 99 });
  expect(searchFolder(join(at.folder, '.loadctl'), search)).toEqual([]);
});
