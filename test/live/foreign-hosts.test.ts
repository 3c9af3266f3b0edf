import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canMakeHosts, startHosts } from '../servers/ssh-hosts.js';
import { workplace } from '../support/loadctl.js';
import { eventsIn } from '../support/replay.js';
import { sshProfile } from '../support/ssh-profile.js';
import { startTarget } from '../support/target.js';

const run = ['run', '--env', 'dev'];
const work = `import http from 'k6/http';
import { sleep } from 'k6';
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.1); };
`;

/** Ends each answer with a file that was not asked for. */
const lies = (tool: string) => `#!/bin/sh
case "$*" in *../*|*-c*|*summary.json*) /usr/bin/${tool} "$@"
  mark=$(tr '\\0' '\\n' </proc/$PPID/cmdline | grep -E '^[0-9a-f]{8}-' | head -n 1)
  printf '\\n%s ../../../.bashrc\\nevil\\n' "$mark" ;;
*) exec /usr/bin/${tool} "$@" ;; esac
`;
/** Never ends its answer. */
const endless = '#!/bin/sh\ncase $* in *-c*) exec /usr/bin/tr "\\000" x </dev/zero ;; *) exec /usr/bin/head "$@" ;; esac\n';

test.runIf(canMakeHosts()).each([
  { title: 'that answers with the file name ../../../.bashrc', tools: { cat: lies('cat'), head: lies('head') } },
  { title: 'that answers without end', tools: { head: endless } },
])('a host $title: nothing of it is written, and the run ends and says so', async ({ tools }) => {
  const network = await startHosts([{ name: 'h1' }]);
  const target = await startTarget(undefined, network.address);
  const place = workplace({
    'profiles/dev.yaml': sshProfile(target.url, network, { count: 1, workload: 'vus: 2, duration: 2s' }),
    'script.js': work,
  });
  const bin = join(network.config, '..', 'h1', 'bin');
  const started = place.start(run);
  await started.until('the load begins');
  for (const [tool, content] of Object.entries(tools)) writeFileSync(join(bin, tool), content, { mode: 0o755 });
  const said = await started.said;
  const files = readdirSync(place.folder, { recursive: true, encoding: 'utf8' });
  expect(files.filter((name) => /bashrc|evil/.test(name))).toEqual([]);
  expect(said.stderr).toMatch(/warning: Runner 1: not all of its files could be kept: h1 sent (something that was not asked for|\S+ with)/);
  expect(eventsIn(place.latestRun()).at(-1)?.type).toBe('command-finished');
  expect(readdirSync(join(place.folder, 'tmp'))).toEqual([]);
});

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
