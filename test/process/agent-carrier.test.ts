import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import type { ProcessEnd } from '../../src/core/os.js';
import { openAgent } from '../../src/runners/agent/link.js';
import { orders } from '../../src/runners/agent/protocol.js';
import { agentCommand } from '../../src/runners/agent/script.js';
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

test('a connection that is no ssh carries an agent as well: orders, looks, and the end of its runners when it is cut', async () => {
  const temp = mkdtempSync(join(tmpdir(), 'loadctl-carrier-'));
  onTestFinished(() => rmSync(temp, { recursive: true, force: true }));
  const folder = join(temp, 'agent');
  const socket = connect(await listenWithAgent(folder), '127.0.0.1');

  const agent = await openAgent(overSocket(socket), { clock: openWorld().clock, signal: new AbortController().signal });
  if (!('next' in agent)) throw new Error('no agent came');
  const started = agent.next('started', '1');
  agent.order(orders.run('1', { file: 'sleep', args: ['60'] }));
  const pid = Number((await started)?.text);
  expect([agent.folder, isAlive(pid)]).toEqual([folder, true]);

  const lost = agent.next('ended', '1');
  socket.destroy();

  expect([await lost, await agent.ended]).toEqual([undefined, { error: 'EPIPE' }]);
  await expect.poll(() => isAlive(pid) || existsSync(folder), { timeout: 3000 }).toBe(false);
});
