import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { openRedactor } from '../../src/core/redactor.js';
import { runners } from '../../src/profile/sections/runners.js';
import { startRunner } from '../../src/runners/agent/start-runner.js';
import { podContext, prepareHost } from '../../src/runners/kubernetes/host.js';
import { type CarrierLink, openSwitchboard } from '../../src/runners/kubernetes/link/switchboard.js';
import type { BackendContext, Reachable, Runner, RunnerLaunch } from '../../src/runners/runner/types.js';
import { openWorld } from '../../src/world.js';

const loadctl = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));

/** A carrier as a pod starts it, and the conductor's side of its link, over loopback. */
export interface Carried {
  readonly link: CarrierLink;
  readonly process: ChildProcess;
  readonly temp: string;
  readonly context: BackendContext;
  readonly ended: Promise<number | null>;
}

/** Starts a carrier and waits for it to dial, maybe by a detour to the conductor's port; its runner's pushes go there. */
export async function startCarrier({ take }: Reachable, detour = async (port: number) => port): Promise<Carried> {
  const temp = mkdtempSync(join(tmpdir(), 'loadctl carrier-'));
  const world = openWorld();
  const key = randomBytes(32);
  const switchboard = await openSwitchboard({ host: '127.0.0.1', key, takePush: take, clock: world.clock });
  writeFileSync(join(temp, 'key'), key.toString('hex'));
  const bin = join(temp, 'bin');
  mkdirSync(bin);
  symlinkSync(process.env.LOADCTL_K6 ?? 'k6', join(bin, 'k6'));
  const child = spawn(process.execPath, [loadctl, 'carry'], {
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: temp,
      TMPDIR: temp,
      LOADCTL_CONDUCTOR: `127.0.0.1:${await detour(switchboard.port)}`,
      LOADCTL_KEY_FILE: join(temp, 'key'),
      JOB_COMPLETION_INDEX: '0',
    },
    stdio: 'inherit',
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    switchboard.close();
    child.kill('SIGCONT');
    await ended;
    rmSync(temp, { recursive: true, force: true, maxRetries: 5 });
  });
  const context: BackendContext = {
    ...world,
    privateFolder: async () => temp,
    profile: runners.parse({}),
    signal: new AbortController().signal,
    redact: openRedactor(),
    expected: { needs: { memoryBytes: 0 }, lifeMs: 60_000 },
  };
  return { link: await switchboard.carrier(0), process: child, temp, context, ended };
}

const k6 = process.env.LOADCTL_K6 ?? 'k6';
/** A server that takes pushes, and notes their paths. */
export async function receiver(): Promise<Reachable & { readonly pushes: string[] }> {
  const pushes: string[] = [];
  const server = createServer((request, response) => {
    pushes.push(request.url ?? '');
    request.resume().once('end', () => response.end());
  });
  onTestFinished(() => void server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port, take: (connection) => void server.emit('connection', connection), pushes };
}

/** Starts a paused k6 behind a carrier, as the backend does; it runs this script. */
export async function startK6({ link, temp, context }: Carried, reachable: Reachable, script: string): Promise<Runner> {
  const archive = join(temp, 'script.js');
  writeFileSync(archive, script);
  mkdirSync(join(temp, 'kept'));
  const inputs = { k6, configFile: '', archive, archiveSha256: createHash('sha256').update(script).digest('hex') };
  const launch: RunnerLaunch = {
    id: runnerId(1),
    inputs,
    ownFiles: [],
    reachable,
    folder: join(temp, 'kept'),
    command: ({ address, folder, inputs: there, reachablePort }) => ({
      file: there.k6,
      args: [
        'run',
        '--paused',
        '--linger',
        '--address',
        address,
        '--summary-export',
        `${folder}/summary.json`,
        '-o',
        'experimental-prometheus-rw',
        there.archive,
      ],
      env: { K6_PROMETHEUS_RW_SERVER_URL: `http://127.0.0.1:${reachablePort}/push`, K6_PROMETHEUS_RW_PUSH_INTERVAL: '200ms' },
    }),
  };
  return startRunner(await prepareHost(link, launch, podContext(context)), launch, context);
}
