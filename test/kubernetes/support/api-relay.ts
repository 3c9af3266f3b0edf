import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { onTestFinished } from 'vitest';
import { kubeconfig } from '../../cluster/cluster.js';

/** What happens to a call whose answer has come: it is passed on, or lost with its connection. */
export type Fate = 'passed' | 'lost';

/** A way to the API server on which calls can be seen and lost: what stands behind it is the API server itself. */
export interface ApiRelay {
  /** A kubeconfig that leads over this way. */
  readonly kubeconfig: string;
  /** Breaks every connection that is open; new ones can be made. */
  breakAll(): void;
  /** While it is set, no connection is taken. */
  isAway: boolean;
}

/** Opens a relay on a port of loopback; `seen` hears of each call once the API server has answered it. Port-forwards are calls. */
export async function apiRelay(file: string, seen: (call: string) => Fate = () => 'passed'): Promise<ApiRelay> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig());
  const upstream = new URL(config.getCurrentCluster()?.server ?? '');
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const open = new Set<Socket>();
  const relay: ApiRelay = { kubeconfig: file, isAway: false, breakAll: () => open.forEach((socket) => void socket.destroy()) };
  const { hostname: host, port } = upstream;
  const onward = ({ method, url: path, headers }: IncomingMessage) =>
    request({ ...options, host, port, method, path, headers: { ...headers, ...options.headers } });
  const called = ({ method, url = '' }: IncomingMessage) => seen(`${method} ${new URL(url, upstream).pathname}`);
  const server = createServer((asked, answer) => {
    const passedOn = onward(asked).once('error', () => answer.destroy());
    passedOn.once('response', (got) => {
      if (called(asked) === 'lost') {
        answer.destroy();
        return;
      }
      answer.writeHead(got.statusCode ?? 500, got.headers);
      got.pipe(answer);
    });
    asked.pipe(passedOn);
  });
  server.on('upgrade', (asked: IncomingMessage, socket: Socket) => {
    const passedOn = onward(asked).once('error', () => socket.destroy());
    passedOn.once('response', (got) => socket.end(`HTTP/1.1 ${got.statusCode} ${got.statusMessage}\r\nconnection: close\r\n\r\n`));
    passedOn.once('upgrade', (got, way, head) => {
      const lines = Object.entries(got.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.once('error', () => way.destroy()).once('close', () => way.destroy());
      way.once('error', () => socket.destroy()).once('close', () => socket.destroy());
      if (called(asked) === 'lost') {
        socket.destroy();
        return;
      }
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      socket.write(head);
      way.pipe(socket).pipe(way);
    });
    passedOn.end();
  });
  server.on('connection', (socket: Socket) => {
    if (relay.isAway) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    relay.breakAll();
    server.close();
  });
  writeFileSync(file, kubeconfigOf((server.address() as AddressInfo).port));
  return relay;
}

/** The relay is this process and asks for nobody's name: what it passes on is the administrator's. */
function kubeconfigOf(port: number): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: {} }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}
