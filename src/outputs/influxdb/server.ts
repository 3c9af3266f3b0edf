import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { post, saying } from '../delivery/post.js';
import { urlUnder } from '../delivery/url-under.js';
import type { Answer, OutputOf, Parcel } from '../kind/types.js';

const pack = promisify(gzip);

/** How points are written to one InfluxDB. */
export interface InfluxServer {
  write(parcel: Parcel, signal: AbortSignal): Promise<Answer>;
  /** Why a measurement has no point of this `testid`; undefined where it has. Only InfluxDB 1 is asked: with the login that writes. */
  readonly lookFor?: (measurement: string, testid: string, signal: AbortSignal) => Promise<string | undefined>;
}

/** An InfluxDB of whichever version, by its own write API: 2 has buckets, 3 a database and a token, 1 a database. */
export function influxServer(output: OutputOf<'influxdb'>, label: string): InfluxServer {
  const { path, words, headers } = wayTo(output);
  let isMade = output.bucket !== undefined || output.token !== undefined;
  const ask = (url: string, body: string | Uint8Array, signal: AbortSignal) => {
    const form = typeof body === 'string';
    const type = form
      ? { 'content-type': 'application/x-www-form-urlencoded' }
      : { 'content-type': 'text/plain', 'content-encoding': 'gzip' };
    return post({ url, headers: { 'user-agent': label, ...headers, ...type }, body, signal, reads: readAnswer });
  };
  const lookFor = async (measurement: string, testid: string, signal: AbortSignal): Promise<string | undefined> => {
    let said = '';
    const q = `SELECT count("value") FROM "${measurement}" WHERE "testid" = '${testid}'`;
    const asked = new URLSearchParams({ db: databaseOf(output), q });
    const reads = (_: number, text: string): undefined => {
      said = text;
    };
    const url = urlUnder(output.url, '/query', asked);
    const answer = await post({ url, method: 'GET', headers: { 'user-agent': label }, signal, reads });
    if (answer.is !== 'taken') return 'why' in answer ? answer.why : 'no answer';
    return said.includes('"series"') ? undefined : `there is no point of it in ${databaseOf(output)}${saying(said)}`;
  };
  return {
    ...(output.bucket === undefined && output.token === undefined ? { lookFor } : {}),
    write: async ({ body }, signal) => {
      // As k6 does; who may not make a database has one that was made for him, or hears so with the first points.
      if (!isMade) {
        const made = await ask(
          urlUnder(output.url, '/query', new URLSearchParams()),
          new URLSearchParams({ q: `CREATE DATABASE "${identifier(databaseOf(output))}"` }).toString(),
          signal,
        );
        if (made.is === 'later' || made.is === 'unknown') return made;
        isMade = true;
      }
      return ask(urlUnder(output.url, path, new URLSearchParams(words)), await pack(body), signal);
    },
  };
}

function databaseOf({ database = 'k6' }: OutputOf<'influxdb'>): string {
  return database;
}

function identifier(name: string): string {
  return name.replace(/["\\]/g, '\\$&');
}

interface Way {
  readonly path: string;
  readonly words: Record<string, string>;
  readonly headers: Record<string, string>;
}

function wayTo(output: OutputOf<'influxdb'>): Way {
  const { bucket, org, token } = output;
  const db = databaseOf(output);
  if (bucket !== undefined) {
    const words = { ...(org === undefined ? {} : { org }), bucket, precision: 'ns' };
    return { path: '/api/v2/write', words, headers: token === undefined ? {} : { authorization: `Token ${token}` } };
  }
  if (token !== undefined)
    return { path: '/api/v3/write_lp', words: { db, precision: 'nanosecond' }, headers: { authorization: `Bearer ${token}` } };
  return { path: '/write', words: { db, precision: 'ns' }, headers: {} };
}

/** Points that a server leaves out of what it takes: the others are in, and sending them again would change nothing. */
function readAnswer(status: number, text: string): Answer | undefined {
  if (status !== 400 && status !== 422) return undefined;
  const { error, message } = saidIn(text);
  const said = error ?? message ?? '';
  const isPartly = /partial write|partially written|partial write of line protocol/i.test(said);
  return isPartly ? { is: 'taken', lost: `it left some points out (${said})` } : undefined;
}

function saidIn(text: string): { readonly error?: string; readonly message?: string } {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? read : {};
  } catch {
    return {};
  }
}
