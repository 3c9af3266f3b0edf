import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Influx } from './influxdb.js';

/*
 * No InfluxDB 2 or 3: a server that answers as their write APIs are documented to
 * (docs.influxdata.com: influxdb/v2/api/v2 "POST /api/v2/write", influxdb3/core/api/v3 "POST /api/v3/write_lp"), and has what it is
 * sent read and kept by an InfluxDB 1.6, which is a real one: what line protocol is, is for that to say.
 */

/** What a write must come with. */
export type Wanted =
  | { readonly version: 2; readonly token: string; readonly org: string; readonly bucket: string }
  | { readonly version: 3; readonly token: string; readonly database: string };

interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

/** Starts one before a real InfluxDB, and hands back its URL; it is gone when the test is over. */
export async function startLaterInflux(wanted: Wanted, behind: Influx): Promise<string> {
  const server = createServer(async (request, response) => {
    const { status, body } = refusal(request, wanted) ?? translated(wanted, await keptBy(behind, request));
    response.writeHead(status, body === undefined ? {} : { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What both say to a request that is not one of theirs, in the order in which they look. */
function refusal({ method, url = '', headers }: IncomingMessage, wanted: Wanted): Reply | undefined {
  const { pathname, searchParams } = new URL(url, 'http://influx');
  const said = (status: number, code: string, message: string): Reply => ({
    status,
    body: wanted.version === 2 ? { code, message } : { error: message },
  });
  if (method !== 'POST' || pathname !== (wanted.version === 2 ? '/api/v2/write' : '/api/v3/write_lp'))
    return said(404, 'not found', 'path not found');
  const logins = wanted.version === 2 ? [`Token ${wanted.token}`] : [`Bearer ${wanted.token}`, `Token ${wanted.token}`];
  if (!logins.includes(headers.authorization ?? '')) return said(401, 'unauthorized', 'unauthorized access');
  const precision = searchParams.get('precision');
  const precisions = wanted.version === 2 ? ['ns', 'us', 'ms', 's'] : ['auto', 'nanosecond', 'microsecond', 'millisecond', 'second'];
  if (precision === null || !precisions.includes(precision)) return said(400, 'invalid', `invalid precision ${precision}`);
  if (wanted.version === 3) return searchParams.get('db') === wanted.database ? undefined : said(404, 'not found', 'database not found');
  if (searchParams.get('org') !== wanted.org) return said(404, 'not found', `organization name "${searchParams.get('org')}" not found`);
  return searchParams.get('bucket') === wanted.bucket
    ? undefined
    : said(404, 'not found', `bucket "${searchParams.get('bucket')}" not found`);
}

/** Hands the body on as it came; `ns` is what both precisions that are sent come to. */
async function keptBy({ url }: Influx, request: IncomingMessage): Promise<Reply> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  await fetch(`${url}/query`, { method: 'POST', body: new URLSearchParams({ q: 'CREATE DATABASE "k6"' }) });
  const encoding = request.headers['content-encoding'];
  const answer = await fetch(`${url}/write?db=k6&precision=ns`, {
    method: 'POST',
    body: Buffer.concat(pieces),
    headers: encoding === undefined ? {} : { 'content-encoding': encoding },
  });
  const text = await answer.text();
  return { status: answer.status, ...(text === '' ? {} : { body: JSON.parse(text) as unknown }) };
}

/** What InfluxDB 1 says, in the words of the later ones: a partial write is 422 in 2, and 400 in 3. */
function translated({ version }: Wanted, { status, body }: Reply): Reply {
  if (status === 204) return { status };
  const { error = '' } = body as { error?: string };
  if (version === 3)
    return { status: 400, body: { error: error.startsWith('partial write') ? 'partial write of line protocol occurred' : error } };
  return error.startsWith('partial write')
    ? { status: 422, body: { code: 'unprocessable entity', message: error } }
    : { status, body: { code: 'invalid', message: error } };
}
