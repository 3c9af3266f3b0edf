import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { post } from '../delivery/post.js';
import type { Answer, OutputOf, Parcel } from '../kind/types.js';

const pack = promisify(gzip);

/** How points are written to one InfluxDB. */
export interface InfluxServer {
  write(parcel: Parcel, signal: AbortSignal): Promise<Answer>;
}

/** An InfluxDB of whichever version, by its own write API: 2 has buckets, 3 a database and a token, 1 a database. */
export function influxServer(output: OutputOf<'influxdb'>, label: string): InfluxServer {
  const { path, headers } = wayTo(output);
  let isMade = output.bucket !== undefined || output.token !== undefined;
  const at = (way: string) => `${output.url.replace(/\/+$/, '')}${way}`;
  const ask = (way: string, body: string | Uint8Array, signal: AbortSignal) => {
    const form = typeof body === 'string';
    const type = form
      ? { 'content-type': 'application/x-www-form-urlencoded' }
      : { 'content-type': 'text/plain', 'content-encoding': 'gzip' };
    return post({ url: at(way), headers: { 'user-agent': label, ...headers, ...type }, body, signal, reads: readAnswer });
  };
  return {
    write: async ({ body }, signal) => {
      // As k6 does; who may not make a database has one that was made for him, or hears so with the first points.
      if (!isMade) {
        const made = await ask(
          '/query',
          new URLSearchParams({ q: `CREATE DATABASE "${identifier(databaseOf(output))}"` }).toString(),
          signal,
        );
        if (made.is === 'later' || made.is === 'unknown') return made;
        isMade = true;
      }
      return ask(path, await pack(body), signal);
    },
  };
}

function databaseOf({ database = 'k6' }: OutputOf<'influxdb'>): string {
  return database;
}

function identifier(name: string): string {
  return name.replace(/["\\]/g, '\\$&');
}

function wayTo(output: OutputOf<'influxdb'>): { path: string; headers: Record<string, string> } {
  const { bucket, org, token } = output;
  const database = databaseOf(output);
  const query = (words: Readonly<Record<string, string>>) => new URLSearchParams(words).toString();
  if (bucket !== undefined) {
    const where = query({ ...(org === undefined ? {} : { org }), bucket, precision: 'ns' });
    return { path: `/api/v2/write?${where}`, headers: token === undefined ? {} : { authorization: `Token ${token}` } };
  }
  if (token !== undefined)
    return { path: `/api/v3/write_lp?${query({ db: database, precision: 'nanosecond' })}`, headers: { authorization: `Bearer ${token}` } };
  return { path: `/write?${query({ db: database, precision: 'ns' })}`, headers: {} };
}

/** Points that a server leaves out of what it takes: the others are in, and sending them again would change nothing. */
function readAnswer(status: number, text: string): Answer | undefined {
  if (status !== 400 && status !== 422) return undefined;
  const { error, message } = saidIn(text);
  const said = error ?? message ?? '';
  const isPartly = /partial write|partially written|partial write of line protocol/i.test(said);
  return isPartly ? { is: 'taken', lost: `it left some points out (${said.slice(0, 200)})` } : undefined;
}

function saidIn(text: string): { readonly error?: string; readonly message?: string } {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? read : {};
  } catch {
    return {};
  }
}
