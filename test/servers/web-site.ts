import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { onTestFinished } from 'vitest';
import { echoWebSocket } from './web-socket-echo.js';

/** What scripts of all kinds ask for: statuses, redirects, cookies, a page with a form, slow answers, a WebSocket at /ws. */
export interface WebSite {
  /** Without a scheme: host:port. */
  readonly place: string;
  readonly url: string;
  /** How many requests came for each `METHOD /path`. */
  readonly hits: Map<string, number>;
}

/** What a site shows; with an authority, clients must show a certificate of it too. */
interface Tls {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly ca?: Buffer;
}

/** Starts one on loopback, with TLS where it is given a key; it is gone when the test is over. */
export async function startWebSite(tls?: Tls): Promise<WebSite> {
  const hits = new Map<string, number>();
  const listener: RequestListener = (request, response) => {
    const key = `${request.method} ${pathOf(request).pathname}`;
    hits.set(key, (hits.get(key) ?? 0) + 1);
    answer(request, response);
  };
  const server: Server =
    tls === undefined ? createServer(listener) : createSecureServer({ ...tls, requestCert: tls.ca !== undefined }, listener);
  server.on('upgrade', echoWebSocket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const at = server.address();
  const place = `127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}`;
  return { place, url: `${tls === undefined ? 'http' : 'https'}://${place}`, hits };
}

const page = `<html><body><h1>Books &amp; more</h1><ul><li>atlas</li><li>novel</li><li>map</li></ul>
<form id="order" method="post" action="/orders"><input name="title" value="" /><input name="hidden" value="1" /></form>
<a class="next" href="/page/2">next</a></body></html>`;

type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  asked: { readonly part: string; readonly query: URLSearchParams },
) => void;

/** By the first part of the path; what is not here answers `well met`. */
const answers: Readonly<Record<string, Answer>> = {
  json: (_, response) => json(response, { list: [1, 2, 3], name: 'json' }),
  status: (_, response, { part }) => response.writeHead(Number(part)).end(),
  redirect: (_, response, { part }) => redirect(response, Number(part)),
  cookies: (request, response, { part, query }) => cookies(request, response, part === 'set' ? query : undefined),
  page: (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page),
  slow: (_, response, { query }) => void setTimeout(() => response.end('late'), Number(query.get('ms'))).unref(),
  private: (request, response) => response.writeHead(request.headers.authorization === letIn ? 200 : 401).end(),
  echo: (request, response) => void echo(request, response),
};

const letIn = `Basic ${Buffer.from('ann:pass word').toString('base64')}`;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = pathOf(request);
  const [, first = '', part = ''] = pathname.split('/');
  const found = answers[first];
  if (found === undefined) response.writeHead(200, { 'content-type': 'text/plain' }).end('well met');
  else found(request, response, { part, query: searchParams });
}

function pathOf({ url = '/' }: IncomingMessage): URL {
  return new URL(url, 'http://site');
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** So many steps from /home. */
function redirect(response: ServerResponse, steps: number): void {
  response.writeHead(302, { location: steps > 1 ? `/redirect/${steps - 1}` : '/home' }).end();
}

function cookies({ headers }: IncomingMessage, response: ServerResponse, set: URLSearchParams | undefined): void {
  if (set !== undefined) {
    response.setHeader(
      'set-cookie',
      [...set].map(([name, value]) => `${name}=${value}; Path=/`),
    );
  }
  const pairs = (headers.cookie ?? '').split('; ').map((pair) => pair.split('=') as [string, string]);
  json(response, Object.fromEntries(pairs));
}

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let length = 0;
  for await (const piece of request) length += (piece as Buffer).length;
  const { 'content-type': type = '', connection = '', 'user-agent': agent = '' } = request.headers;
  json(response, { method: request.method, type, connection, agent, length });
}
