import { expect, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const script = `import http from 'k6/http';
export default () => { http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } }); };
`;

const profile = (url: string, vus = 4) => `
target: {url: "${url}"}
workload: {script: ../script.js, vus: ${vus}, duration: 4s}
runners: {count: 2}
sla: {p50: < 500ms, p95: < 500ms, errors: < 1%}
`;

async function runOnce(place: Workplace): Promise<string> {
  const said = await place.loadctl(['run', '--env', 'dev', '--json']);
  expect(said, said.stderr).toMatchObject({ code: 0 });
  return String(JSON.parse(said.stdout).run);
}

test('a service that is 30% slower is worse, the same one is not; other loads, and runs without a result, are refused', {
  timeout: 240_000,
}, async () => {
  const { url, delays } = await startTarget();
  delays.set('/work', 200);
  const place = workplace({ 'profiles/dev.yaml': profile(url), 'script.js': script });

  const first = await runOnce(place);
  const alone = await place.loadctl(['compare']);
  expect(alone, alone.stderr).toMatchObject({ code: 0 });
  expect(alone.stdout).toContain(`CANNOT TELL  run ${first} with nothing`);
  const second = await runOnce(place);
  const early = await place.loadctl(['compare', '--fail-on-regression']);
  expect(early).toMatchObject({ code: 0 });
  expect(early.stdout).toContain('1 earlier run cannot say how much runs differ by themselves');

  for (const _ of [3, 4, 5]) await runOnce(place);
  const kept = await place.loadctl([
    'compare',
    first,
    second,
    ...(await olderThanTwo(place, [first, second])),
    '--with',
    'base.json',
    '--save',
    'base.json',
  ]);
  expect(kept, kept.stderr).toMatchObject({ code: 0 });
  expect(kept.stdout).toContain('base.json holds 5 runs');

  const same = await runOnce(place);
  const unchanged = await place.loadctl(['compare', '--threshold', '15%', '--fail-on-regression', '--json']);
  expect(unchanged, unchanged.stdout).toMatchObject({ code: 0 });
  expect(JSON.parse(unchanged.stdout)).toMatchObject({ runs: [same], with: expect.arrayContaining([first, second]) });
  expect(JSON.parse(unchanged.stdout).word).not.toBe('worse');

  delays.set('/work', 260);
  const slow = await runOnce(place);
  const worse = await place.loadctl(['compare', '--with', 'base.json', '--threshold', '15%', '--fail-on-regression', '--json']);
  expect(worse, worse.stdout).toMatchObject({ code: 99 });
  const said = JSON.parse(worse.stdout);
  expect(said).toMatchObject({ word: 'worse', runs: [slow] });
  // Of a busy machine, the median tells it: one stall in four seconds is enough for a p95.
  const p50 = said.changes.find(({ name }: { name: string }) => name === 'p50');
  expect(p50).toMatchObject({ word: 'worse', gated: true });
  expect(p50.change).toBeGreaterThan(0.15);
  expect(p50.change).toBeLessThan(0.45);
  expect((await place.loadctl(['compare', '--with', 'base.json'])).code).toBe(0);

  const verified = await place.loadctl(['verify', '--baseline', 'base.json', '--fail-on-regression', '--json']);
  expect(verified, verified.stdout).toMatchObject({ code: 99 });
  expect(JSON.parse(verified.stdout)).toMatchObject({ verdict: 'pass', exitCodes: [99], comparison: { word: 'worse', runs: [slow] } });
  expect((await place.loadctl(['verify', '--baseline', 'base.json'])).stdout).toMatch(/^PASS [\s\S]*^WORSE /m);
  expect((await place.loadctl(['verify', '--fail-on-regression'])).code).toBe(2);
  for (const command of [
    ['verify', '--baseline'],
    ['compare', '--with'],
  ]) {
    expect(await place.loadctl([...command, 'base.json', '--fail-on-regression', '--report-dir', 'ci'])).toMatchObject({ code: 99 });
    expect(place.read('ci/junit.xml')).toMatch(/name="p50 is no worse than before" time="0.000"><failure/);
    expect(place.read('ci/summary.md')).toContain(`WORSE  run ${slow} with 5 runs`);
    const [laid = ''] = /<figure data-chart="compared-p95"[\s\S]*?<\/figure>/.exec(place.read('ci/report.html')) ?? [];
    expect(laid).toMatch(new RegExp(`new: ${slow} [\\d.]+ ms`));
    expect(laid.match(/<polyline/g)).toHaveLength(6);
  }
  expect((await place.loadctl(['verify', '--baseline', 'nowhere.json'])).code).toBe(115);

  place.file('profiles/dev.yaml', profile(url, 2));
  const fewer = await runOnce(place);
  const found = await place.loadctl(['compare']);
  expect(found.stdout).toContain(`run ${fewer} with nothing`);
  const other = await place.loadctl(['compare', fewer, '--with', first]);
  expect(other).toMatchObject({ code: 112, stdout: '' });
  expect(other.stderr).toContain('they made different loads');
  expect((await place.loadctl(['compare', fewer, '--with', first, '--anyway'])).code).toBe(0);

  const csv = await place.loadctl(['runs', '--csv']);
  expect(csv, csv.stderr).toMatchObject({ code: 0 });
  const [head, ...rows] = csv.stdout.trimEnd().split('\n');
  expect(head).toBe('time,run,environment,workload,commit,verdict,p50_ms,p95_ms,p99_ms,throughput,errors');
  expect(rows.map((row) => row.split(',')[1])).toEqual([first, ...rows.slice(1, -2).map((row) => row.split(',')[1]), slow, fewer]);
  const summary = JSON.parse(place.read(`.loadctl/runs/${slow}/summary.json`));
  expect(rows.at(-2)).toContain(`,pass,${summary.metrics.http_req_duration.values.med},`);
  expect((await place.loadctl(['runs', '--csv', '--json'])).code).toBe(2);
  expect((await place.loadctl(['runs', '--csv', '--keep', '1'])).code).toBe(2);

  const both = await place.loadctl(['compare', first, '--with', first]);
  expect(both).toMatchObject({ code: 2, stdout: '' });
  place.file('odd.json', '{"version":1}');
  const odd = await place.loadctl(['compare', '--with', 'odd.json']);
  expect(odd).toMatchObject({ code: 115, stdout: '' });
  expect(odd.stderr).toContain('odd.json is not a baseline: runs is missing');
  expect((await place.loadctl(['compare', '--threshold', 'five'])).code).toBe(2);
  const unwritable = await place.loadctl(['compare', '--save', 'nowhere/base.json']);
  expect(unwritable).toMatchObject({ code: 115, stdout: '' });
  expect(unwritable.stderr).toContain('nowhere/base.json cannot be written: ENOENT');

  place.file('script.js', `${script}import exec from 'k6/execution';\nexport function setup() { exec.test.abort('no'); }\n`);
  expect((await place.loadctl(['run', '--env', 'dev'])).code).toBe(108);
  const aborted = await place.loadctl(['compare']);
  expect(aborted).toMatchObject({ code: 111, stdout: '' });
  expect(aborted.stderr).toContain('cannot be compared: its result is interrupted');
});

/** The runs there but for those two, newest first. */
async function olderThanTwo(place: Workplace, known: readonly string[]): Promise<string[]> {
  const { runs } = JSON.parse((await place.loadctl(['runs', '--json'])).stdout) as { runs: { run: string }[] };
  return runs.map(({ run }) => run).filter((run) => !known.includes(run));
}
