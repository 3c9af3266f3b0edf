import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An annotation as Grafana hands it out. */
export interface Kept {
  readonly id: number;
  readonly text: string;
  readonly time: number;
  readonly timeEnd: number;
  readonly tags: readonly string[];
}

/** A server that answers as Grafana's HTTP API for annotations is documented to. It is no Grafana. */
export interface Annotations {
  readonly url: string;
  readonly kept: readonly Kept[];
  /** What was asked of it: method and path, without the query. */
  readonly asked: readonly string[];
  /** From now on it keeps what it is sent, and answers nothing to a POST. */
  silent(is: boolean): void;
  /** From now on it answers so to everything. */
  answer(status: number | undefined): void;
}

interface Sent {
  readonly text?: unknown;
  readonly time?: number;
  readonly timeEnd?: number;
  readonly tags?: readonly string[];
}

const known: ReadonlySet<string> = new Set(['dashboardUID', 'panelId', 'time', 'timeEnd', 'tags', 'text', 'data']);

/** Starts {@link Annotations} for who has this token; they are gone when the test is over. */
export async function startAnnotations(token: string): Promise<Annotations> {
  const kept: Kept[] = [];
  const asked: string[] = [];
  let [isSilent, status]: [boolean, number | undefined] = [false, undefined];
  const server = createServer(async (request, response) => {
    const { method = '', headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://grafana');
    asked.push(`${method} ${pathname}`);
    const reply = (code: number, body: unknown) =>
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const sent = method === 'GET' ? {} : ((await bodyOf(request)) as Sent);
    if (status !== undefined) return reply(status, { message: 'as told' });
    if (headers.authorization !== `Bearer ${token}`) return reply(401, { message: 'Unauthorized' });
    const stranger = Object.keys(sent).find((word) => !known.has(word));
    if (stranger !== undefined) return reply(400, { message: `unknown field ${stranger}` });
    const [, path, id] = /^\/api\/(annotations)(?:\/(\d+))?$/.exec(pathname) ?? [];
    if (path === undefined) return reply(404, { message: 'Not found' });
    if (method === 'GET') return reply(200, found(kept, searchParams));
    if (method === 'PATCH') return reply(...changed(kept, Number(id), sent));
    if (typeof sent.text !== 'string' || sent.text === '') return reply(400, { message: 'Failed to save annotation' });
    const time = sent.time ?? 0;
    kept.push({ id: kept.length + 1, text: sent.text, time, timeEnd: sent.timeEnd ?? time, tags: sent.tags ?? [] });
    if (isSilent) return;
    return reply(200, { message: 'Annotation added', id: kept.length });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    kept,
    asked,
    silent: (is) => {
      isSilent = is;
    },
    answer: (code) => {
      status = code;
    },
  };
}

function found(kept: readonly Kept[], asked: URLSearchParams): Kept[] {
  const [from, to] = [Number(asked.get('from')), Number(asked.get('to'))];
  return kept.filter(({ time, timeEnd, tags }) => time <= to && timeEnd >= from && asked.getAll('tags').every((tag) => tags.includes(tag)));
}

function changed(kept: Kept[], id: number, { text, time, timeEnd, tags }: Sent): [number, unknown] {
  const index = kept.findIndex((one) => one.id === id);
  const old = kept[index];
  if (old === undefined) return [404, { message: 'Could not find annotation to update' }];
  kept[index] = {
    ...old,
    ...(typeof text === 'string' ? { text } : {}),
    ...(time === undefined ? {} : { time }),
    ...(timeEnd === undefined ? {} : { timeEnd }),
    ...(tags === undefined ? {} : { tags }),
  };
  return [200, { message: 'Annotation patched' }];
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return JSON.parse(Buffer.concat(pieces).toString('utf8'));
}
