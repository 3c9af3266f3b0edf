import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type RunnerId, runnerId } from '../../src/core/ids.js';
import { openRedactor } from '../../src/core/redactor.js';
import type { OpenBackend, RunnerLaunch } from '../../src/runners/runner/types.js';
import { backend as ssh } from '../../src/runners/ssh/index.js';
import { openWorld } from '../../src/world.js';
import { canMakeHosts, type SshTestNetwork, startHosts } from '../servers/ssh-hosts.js';
import { startTarget } from '../support/target.js';

const script = `
import http from 'k6/http';
export const options = { vus: 1, iterations: 3 };
export default () => { http.get('http://127.0.0.1:' + __ENV.BACK + '/pushed'); };
`;

test.runIf(canMakeHosts())('runners reach one port of this machine’s loopback through their own', async () => {
  const network = await startHosts([{ name: 'h1' }, { name: 'h2' }]);
  const receiver = await startTarget();
  const folder = mkdtempSync(join(tmpdir(), 'lc-reachable-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const backend = backendFor(network);
  onTestFinished(() => backend.close());

  const runners = await Promise.all(
    [1, 2].map(runnerId).map((id) => backend.start(launch(id, folder, Number(new URL(receiver.url).port)))),
  );

  await expect.poll(() => receiver.hits.get('GET /pushed'), { timeout: 20_000 }).toBe(6);
  for (const runner of runners) runner.end('gracefully');
  expect((await Promise.all(runners.map(({ ended }) => ended))).map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  const facts = runners[0]?.hostFacts;
  expect(facts).toMatchObject({
    k6Version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    platform: expect.stringMatching(/^Linux /),
    cpus: expect.any(Number),
  });
  expect([facts?.freeMemoryBytes, facts?.portsFrom]).toEqual([expect.any(Number), expect.any(Number)]);
  expect(Math.abs(facts?.clockOffsetMs ?? Number.NaN)).toBeLessThan(1000);
  await backend.close();
  expect(network.hosts.flatMap(({ left }) => left())).toEqual([]);
});

test.runIf(canMakeHosts())('a host whose sshd would open that port to its network is refused', async () => {
  const network = await startHosts([{ name: 'h1', forwarding: 'open to all' }]);
  const folder = mkdtempSync(join(tmpdir(), 'lc-reachable-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const backend = backendFor(network);
  onTestFinished(() => backend.close());

  await expect(backend.start(launch(runnerId(1), folder, 9))).rejects.toThrow('The sshd of h1 opens forwarded ports to its whole network.');
});

const expected = { needs: { memoryBytes: 0 }, lifeMs: 60_000 };

function backendFor({ config, hosts }: SshTestNetwork): OpenBackend {
  const names = hosts.map(({ name }) => name);
  const profile = { backend: 'ssh' as const, count: 2, onLost: 'abort' as const, readyTimeout: 60_000, hosts: names, sshConfig: config };
  return ssh.open({ ...openWorld(), profile, signal: new AbortController().signal, redact: openRedactor(), expected });
}

function launch(id: RunnerId, folder: string, port: number): RunnerLaunch {
  const k6 = process.env.LOADCTL_K6 ?? '';
  const [source, archive] = [join(folder, `${id}.js`), join(folder, `${id}.tar`)];
  writeFileSync(source, script);
  execFileSync(k6, ['archive', '-O', archive, source], { stdio: 'ignore' });
  const archiveSha256 = createHash('sha256').update(readFileSync(archive)).digest('hex');
  return {
    id,
    folder,
    inputs: { k6, configFile: join(folder, 'none.json'), archive, archiveSha256 },
    ownFiles: [],
    reachable: { host: '127.0.0.1', port, take: () => expect.unreachable('ssh brings its own tunnel') },
    command: ({ address, inputs, reachablePort }) => ({
      file: inputs.k6,
      args: ['run', '--linger', '--address', address, inputs.archive],
      env: { BACK: String(reachablePort) },
    }),
  };
}
