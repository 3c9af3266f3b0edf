import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import type { ProcessEnd } from '../../src/core/os.js';
import { openRedactor } from '../../src/core/redactor.js';
import { runnerApi } from '../../src/k6/rest.js';
import { openAgent } from '../../src/runners/agent/link.js';
import { orders } from '../../src/runners/agent/protocol.js';
import { agentCommand } from '../../src/runners/agent/script.js';
import { type Host, startRunner } from '../../src/runners/agent/start-runner.js';
import { freePort } from '../../src/runners/runner/starting.js';
import { openWorld } from '../../src/world.js';
import { isAlive } from '../support/agents.js';

/** A place where an agent is started for whoever connects, and fed by that connection. */
async function listenWithAgent(folder: string): Promise<number> {
  const { file, args, stdin = '' } = agentCommand(folder);
  const server = createServer((socket) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    child.stdin.write(stdin);
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
    socket.on('error', () => {});
    child.stdin.on('error', () => {});
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const overSocket = (socket: Socket) => (hear: (line: string) => void) => {
  createInterface({ input: socket }).on('line', hear);
  const ended = new Promise<ProcessEnd>((resolve) => socket.once('close', () => resolve({ error: 'EPIPE' })));
  return { write: (text: string) => void socket.write(text), kill: () => Boolean(socket.destroy()), ended };
};

/** Answers as k6's REST API does, and ends when it is asked to. */
const answering = `const answer = { data: { attributes: { status: 4, paused: true, vus: 0, 'vus-max': 1 } } };
require('http').createServer((_, response) => response.end(JSON.stringify(answer))).listen(Number(process.env.port), '127.0.0.1');`;

test('where word of its end is lost on the way, nobody waits for a killed runner without limit', async () => {
  const temp = mkdtempSync(join(tmpdir(), 'loadctl-carrier-'));
  onTestFinished(() => rmSync(temp, { recursive: true, force: true }));
  const { clock } = openWorld();
  const socket = connect(await listenWithAgent(join(temp, 'agent')), '127.0.0.1');
  const carry = overSocket(socket);
  const deaf = (hear: (line: string) => void) => carry((line) => line.startsWith('ended ') || hear(line));
  const agent = await openAgent(deaf, { clock, signal: new AbortController().signal });
  if (!('next' in agent)) throw new Error('no agent came');
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const inputs = { archive: '', k6: '', configFile: '', archiveSha256: '' };
  const host: Host = {
    name: 'here',
    agent,
    place: () => ({ folder: temp, inputs, reachablePort: 0, share: {} }),
    openRest: async () => ({ address, api: runnerApi(`http://${address}`, clock) }),
    vitals: async () => undefined,
    clockOrigin: async () => undefined,
    bring: async () => ({ from: temp, troubles: [] }),
  };
  const command = () => ({ file: process.execPath, args: ['-e', answering], env: { port: String(port) } });
  const launch = {
    id: runnerId(1),
    command,
    inputs,
    ownFiles: [],
    reachable: { host: '127.0.0.1', port: 0, take: () => {} },
    folder: temp,
  } as const;
  const runner = await startRunner(host, launch, { clock, redact: openRedactor() });

  runner.end('hard');

  expect(await runner.ended).toEqual({ error: 'ESRCH' });
  expect([runner.gone.aborted, isAlive((await runner.pid()) ?? 0)]).toEqual([true, false]);
  socket.destroy();
  await expect.poll(() => existsSync(join(temp, 'agent')), { timeout: 3000 }).toBe(false);
});

test('a connection that is no ssh carries an agent as well: orders, looks, and the end of its runners when it is cut', async () => {
  const temp = mkdtempSync(join(tmpdir(), 'loadctl-carrier-'));
  onTestFinished(() => rmSync(temp, { recursive: true, force: true }));
  const folder = join(temp, 'agent');
  const socket = connect(await listenWithAgent(folder), '127.0.0.1');

  const agent = await openAgent(overSocket(socket), { clock: openWorld().clock, signal: new AbortController().signal });
  if (!('next' in agent)) throw new Error('no agent came');
  const started = agent.next('started', '1');
  agent.order(orders.run(runnerId(1), { file: 'sleep', args: ['60'] }));
  const pid = Number((await started)?.text);
  expect([agent.folder, isAlive(pid)]).toEqual([folder, true]);

  const lost = agent.next('ended', '1');
  socket.destroy();

  expect([await lost, await agent.ended]).toEqual([undefined, { error: 'EPIPE' }]);
  await expect.poll(() => isAlive(pid) || existsSync(folder), { timeout: 3000 }).toBe(false);
});
