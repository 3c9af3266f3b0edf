import { post } from '../delivery/post.js';
import type { Answer, OutputOf, Parcel } from '../kind/types.js';
import type { Annotation, Mark } from './of-events.js';

/** The HTTP API for annotations of one Grafana: `/api/annotations`, which 13 has beside its newer ones. */
export interface GrafanaServer {
  send(parcel: Parcel, signal: AbortSignal): Promise<Answer>;
  /** Whether it has this one; an answer that is not `taken` where it cannot be asked. */
  has(mark: Mark, signal: AbortSignal): Promise<boolean | Answer>;
}

/**
 * A {@link GrafanaServer}. It knows the ids of what it wrote; what may be there without its knowledge (no answer came, another
 * process wrote it) is looked for by time and tags first, so that nothing stands there twice.
 */
export function grafanaServer({ url, token }: OutputOf<'grafana'>, label: string): GrafanaServer {
  const root = `${url.replace(/[?#].*$/s, '').replace(/\/+$/, '')}/api/annotations`;
  const headers = {
    'user-agent': label,
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const ids = new Map<string, number>();
  const unsure = new Set<string>();
  const create = async ({ key, annotation }: Mark, parcel: Parcel, signal: AbortSignal): Promise<Answer> => {
    const reads = (status: number, text: string): undefined => {
      const id = status === 200 ? idIn(text) : undefined;
      if (id !== undefined) ids.set(key, id);
    };
    const answer = await post({ url: root, headers, body: JSON.stringify(annotation), signal, reads });
    if (answer.is === 'unknown') unsure.add(parcel.id);
    return answer;
  };
  const find = async ({ key, annotation }: Mark, signal: AbortSignal): Promise<Answer> => {
    const asked = new URLSearchParams([
      ['from', String(annotation.time)],
      ['to', String(annotation.time)],
      ['type', 'annotation'],
      ['limit', '100'],
      ...annotation.tags.map((tag): [string, string] => ['tags', tag]),
    ]);
    const reads = (status: number, text: string): undefined => {
      const id = status === 200 ? sameIn(text, annotation) : undefined;
      if (id !== undefined) ids.set(key, id);
    };
    return post({ url: `${root}?${asked}`, method: 'GET', headers, signal, reads });
  };
  return {
    has: async (mark, signal) => {
      ids.delete(mark.key);
      const found = await find(mark, signal);
      return found.is === 'taken' ? ids.has(mark.key) : found;
    },
    send: async (parcel, signal) => {
      const mark = JSON.parse(parcel.body) as Mark;
      const mayBeThere = mark.do === 'end' ? !ids.has(mark.key) : unsure.has(parcel.id);
      const found = mayBeThere ? await find(mark, signal) : undefined;
      // Who may not read annotations may still write them.
      if (found !== undefined && found.is !== 'taken' && found.is !== 'refused') return found;
      const id = ids.get(mark.key);
      if (id === undefined) return create(mark, parcel, signal);
      if (mark.do === 'begin') return { is: 'taken' };
      return post({ url: `${root}/${id}`, method: 'PATCH', headers, body: JSON.stringify(mark.annotation), signal });
    },
  };
}

function idIn(text: string): number | undefined {
  const read = parsed(text);
  const id = typeof read === 'object' && read !== null && 'id' in read ? Number(read.id) : Number.NaN;
  return Number.isInteger(id) ? id : undefined;
}

/** The id of the annotation that began at the same moment, with the same tags. */
function sameIn(text: string, { time, tags }: Annotation): number | undefined {
  const read = parsed(text);
  const all: readonly unknown[] = Array.isArray(read) ? read : [];
  const same = all.find((one) => {
    const { time: begun, tags: named = [] } = one as { readonly time?: number; readonly tags?: readonly string[] };
    return begun === time && tags.every((tag) => named.includes(tag));
  });
  return same === undefined ? undefined : idIn(JSON.stringify(same));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
