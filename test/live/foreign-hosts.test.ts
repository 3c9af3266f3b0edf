import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canMakeHosts, startHosts } from '../servers/ssh-hosts.js';
import { workplace } from '../support/loadctl.js';
import { sshProfile } from '../support/ssh-profile.js';
import { startTarget } from '../support/target.js';

const run = ['run', '--env', 'dev'];
const work = `import http from 'k6/http';
import { sleep } from 'k6';
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.1); };
`;

test.runIf(canMakeHosts())('a host where another k6 has the port that is drawn: every runner has a k6 of its own', async () => {
  const network = await startHosts([{ name: 'h1' }]);
  const target = await startTarget(undefined, network.address);
  const place = workplace({
    'profiles/dev.yaml': sshProfile(target.url, network, { count: 2, workload: 'vus: 2, duration: 2s' }),
    'script.js': work,
    'fixed.mjs': 'Math.random = () => 0.5;\n',
    'foreign.js': 'export const options = { vus: 1, duration: "1m" };\nexport default () => {};\n',
  });
  const asked = execFileSync('ip', ['-o', '-4', 'address', 'show', 'to', network.address], { encoding: 'utf8' });
  const onHost = ['netns', 'exec', `${asked.split(/\s+/)[1]}h0`];
  const k6 = [
    process.env.LOADCTL_K6 ?? 'k6',
    'run',
    '--quiet',
    '--paused',
    '--address',
    '127.0.0.1:25000',
    join(place.folder, 'foreign.js'),
  ];
  const other = spawn('ip', [...onHost, ...k6], { stdio: 'ignore' });
  onTestFinished(() => void other.kill('SIGKILL'));
  const status = () => spawnSync('ip', [...onHost, 'curl', '-s', 'http://127.0.0.1:25000/v1/status'], { encoding: 'utf8' }).stdout;
  await expect.poll(status, { timeout: 10_000 }).toContain('"paused":true');

  const said = await place.loadctl(run, { NODE_OPTIONS: `--import=${join(place.folder, 'fixed.mjs')}` });

  expect(said.code, said.stderr).toBe(0);
  expect(status()).toContain('"paused":true');
  expect(target.hits.get('GET /work') ?? 0).toBeGreaterThan(20);
  expect(other.exitCode).toBe(null);
  expect(existsSync(join(place.latestRun(), 'runners', '2', 'summary.json'))).toBe(true);
});
