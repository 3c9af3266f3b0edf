import SnappyJS from 'snappyjs';
import type { EpochMs } from '../../core/quantities.js';
import { post } from '../delivery/post.js';
import type { Answer, OutputOf, Parcel } from '../kind/types.js';

/** A receiver of remote writes, as far as it is known. */
export interface PrometheusServer {
  send(parcel: Parcel, signal: AbortSignal): Promise<Answer>;
  /** Whether histograms are written there: not where they were refused. */
  takesHistograms(): boolean;
  /** What a run wrote and is not there at this moment, in words; undefined where all of it is, or nobody may ask. */
  missing(testid: string, look: { readonly at: EpochMs; readonly signal: AbortSignal }): Promise<string | undefined>;
}

/** So many answers of 500 to histograms, with floats taken between them, are a no: Prometheus says so of what it has not enabled. */
const meansNo = 3;
const histogramsOff =
  'native histograms are not taken there: enable them (before Prometheus 3.8: --enable-feature=native-histograms), or set histograms: none';

/** The {@link PrometheusServer} of an output. */
export function prometheusServer({ url, query, token, histograms }: OutputOf<'prometheus'>, label: string): PrometheusServer {
  const login: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const headers = {
    'user-agent': label,
    ...login,
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  };
  const unsure = new Set<string>();
  let [floatsTaken, failures, isOff] = [false, 0, false];
  return {
    takesHistograms: () => histograms === 'native' && !isOff,
    send: async ({ id, body }, signal) => {
      const isHistogram = id.endsWith('histograms');
      if (isHistogram && isOff) return { is: 'refused', why: histogramsOff };
      let status = 0;
      const reads = (answered: number): undefined => {
        status = answered;
      };
      const answer = await post({ url, headers, body: SnappyJS.compress(Buffer.from(body, 'base64')), signal, reads });
      if (answer.is === 'unknown') unsure.add(id);
      if (answer.is === 'taken') floatsTaken ||= !isHistogram;
      // It had this one already: of a series only the newest sample is taken twice.
      if (status === 400 && unsure.has(id)) return { is: 'taken' };
      failures = isHistogram && status === 500 && floatsTaken ? failures + 1 : 0;
      isOff ||= failures >= meansNo;
      return failures >= meansNo ? { is: 'refused', why: histogramsOff } : answer;
    },
    missing: async (testid, { at, signal }) => {
      if (query === undefined) return undefined;
      const ask = async (promql: string): Promise<number> => {
        const asked = new URLSearchParams({ query: promql, time: String(at / 1000) });
        const answer = await fetch(`${query.replace(/\/+$/, '')}/api/v1/query?${asked}`, {
          headers: { 'user-agent': label, ...login },
          signal,
        });
        const { data } = (await answer.json()) as { data?: { result?: { value?: [number, string] }[] } };
        return Number(data?.result?.[0]?.value?.[1] ?? 0);
      };
      const selector = `{testid=${JSON.stringify(testid)}}`;
      if ((await ask(`count(k6_http_reqs_total${selector})`)) === 0) return 'nothing of the run is found there by `query`';
      if (histograms !== 'native' || isOff) return undefined;
      const found = await ask(`count(histogram_count(k6_http_req_duration_seconds${selector}))`);
      return found > 0 ? undefined : 'histograms were taken and dropped without a word: percentiles are missing there';
    },
  };
}
