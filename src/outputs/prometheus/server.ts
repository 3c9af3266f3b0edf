import SnappyJS from 'snappyjs';
import type { Clock } from '../../core/os.js';
import type { EpochMs, Milliseconds } from '../../core/quantities.js';
import { type Post, post } from '../delivery/post.js';
import { urlUnder } from '../delivery/url-under.js';
import type { Answer, OutputContext, OutputOf, Parcel } from '../kind/types.js';
import { trialName } from './trial.js';

/** A receiver of remote writes, as far as it is known. */
export interface PrometheusServer {
  send(parcel: Parcel, signal: AbortSignal): Promise<Answer>;
  /** Whether histograms are written there: not where they were refused. */
  takesHistograms(): boolean;
  /** What a run wrote and is not there at this moment, in words; undefined where all of it is, or nobody may ask. */
  missing(testid: string, look: Look): Promise<string | undefined>;
}

/** When something was written that is looked for, and how often it is looked: usually for some seconds. */
export interface Look {
  readonly at: EpochMs;
  readonly signal: AbortSignal;
  readonly times?: number;
}

/** So many answers of 500 to histograms in a row, while it takes floats, are a no: Prometheus says so of what it has not enabled. */
const meansNo = 3;
const histogramsOff =
  'native histograms are not taken there: enable them (before Prometheus 3.8: --enable-feature=native-histograms), or set histograms: classic';

/** The {@link PrometheusServer} of an output. */
export function prometheusServer(
  { url, query, token, histograms }: OutputOf<'prometheus'>,
  { label, clock }: Pick<OutputContext, 'label' | 'clock'>,
): PrometheusServer {
  const login: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const headers = {
    'user-agent': label,
    ...login,
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  };
  const isAsked = histograms === 'native' || histograms === 'both';
  const unsure = new Set<string>();
  let [floats, failures, isOff]: [Uint8Array | undefined, number, boolean] = [undefined, 0, false];
  const write = (body: Uint8Array, signal: AbortSignal, reads?: Post['reads']) =>
    post({ url, headers, body, signal, ...(reads === undefined ? {} : { reads }) });
  // Whoever is ill says 500 to all; what was taken last may come twice, or is out of order by now: both are answers of a healthy one.
  const takesFloats = async (signal: AbortSignal) => {
    const answer = floats && (await write(floats, signal));
    return answer?.is === 'taken' || answer?.is === 'refused';
  };
  return {
    takesHistograms: () => isAsked && !isOff,
    send: async ({ id, body }, signal) => {
      const isHistogram = id.endsWith('histograms');
      if (isHistogram && isOff) return { is: 'refused', why: histogramsOff };
      let status = 0;
      const reads = (answered: number): undefined => {
        status = answered;
      };
      const packed = SnappyJS.compress(Buffer.from(body, 'base64'));
      const answer = await write(packed, signal, reads);
      if (answer.is === 'unknown') unsure.add(id);
      if (answer.is === 'taken' && !isHistogram) floats = packed;
      // It had this one already: of a series only the newest sample is taken twice.
      if (status === 400 && unsure.has(id)) return { is: 'taken' };
      failures = isHistogram && status === 500 ? failures + 1 : 0;
      isOff ||= failures >= meansNo && (await takesFloats(signal));
      return isHistogram && isOff ? { is: 'refused', why: histogramsOff } : answer;
    },
    missing: async (testid, { at, signal, times = 7 }) => {
      if (query === undefined) return undefined;
      const finding = { query, at, signal, headers: { 'user-agent': label, ...login }, clock };
      const of = `testid=${JSON.stringify(testid)}`;
      if (!(await isFound(`{${of}}`, { ...finding, times }))) return 'nothing of it is found there by `query`';
      if (!isAsked || isOff) return undefined;
      const trends = `k6_http_req_duration_seconds|${trialName}_seconds`;
      // It shows what came with it by now.
      return (await isFound(`histogram_count({__name__=~"${trends}", ${of}})`, { ...finding, times: 4 })) ? undefined : dropped;
    },
  };
}

const dropped =
  'histograms were taken and are not found there: it drops them without a word, or keeps them as something else; percentiles are missing there';

/** How soon it is looked again: some receivers show a sample a second after they took it, and a series after ten. */
const pauseMs: Milliseconds = 700;

interface Finding extends Required<Look> {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Looks, so many times, whether a query has any answer at a moment. Rejects where nobody answers. */
async function isFound(promql: string, { query, at, signal, times, headers, clock }: Finding): Promise<boolean> {
  // `nocache` has VictoriaMetrics show what it got in the last half minute.
  const asked = new URLSearchParams({ query: `count(${promql})`, time: String(at / 1000), nocache: '1' });
  for (let look = 1; look <= times; look += 1) {
    if (look > 1) await clock.sleep(pauseMs, signal);
    let said = '';
    // A query that is not understood: who does not know histograms has none.
    const reads = (status: number, text: string): Answer | undefined => {
      said = status < 300 ? text : '{}';
      return status === 400 || status === 422 ? { is: 'taken' } : undefined;
    };
    const url = urlUnder(query, '/api/v1/query', asked);
    const answer = await post({ url, method: 'GET', headers, signal, reads });
    if (answer.is !== 'taken') throw new Error('why' in answer ? answer.why : 'no answer');
    if (countIn(said) > 0) return true;
  }
  return false;
}

function countIn(text: string): number {
  const { data } = JSON.parse(text) as { data?: { result?: { value?: [number, string] }[] } };
  return Number(data?.result?.[0]?.value?.[1] ?? 0);
}
