import { LoadctlError } from '../../core/errors.js';
import { placeOf, placeText } from '../../plan/hosts.js';
import { type Asker, odd } from '../kind/http.js';

/** The labels of a series by name, without the metric's own name. */
export type Labels = Readonly<Record<string, string>>;

/** One series of an answer, with its last value. */
export interface Series {
  /** What it is called in looks: `{instance="app-1", job="app"}`. */
  readonly name: string;
  readonly labels: Labels;
  /** When it was evaluated, by the server's clock in seconds. */
  readonly at: number;
  readonly value: number;
}

/** More series than this are nobody's sources: each is kept and judged at every look. */
const mostSeries = 1000;

/** Asks PromQL, now or at a moment by the server's clock; throws `unavailable` with what the server says of it. */
export async function series(url: string, ask: Asker, query: string, time?: number): Promise<Series[]> {
  const place = placeText(placeOf(url));
  const base = new URL(url);
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/api/v1/query`;
  const form = { query, ...(time === undefined ? {} : { time: String(time) }) };
  const { status, error, data } = asRecord(await ask.json(base.toString(), { explains: true, form }));
  if (status === 'error') {
    throw new LoadctlError('unavailable', `${place} does not take the query: ${String(error)}`, {
      hint: 'Correct the query of the monitor.',
    });
  }
  const { resultType, result } = asRecord(data);
  if (status !== 'success' || (resultType !== 'vector' && resultType !== 'scalar')) throw odd(place, 'no PromQL result');
  const all = resultType === 'scalar' ? [{ metric: {}, value: result }] : Array.isArray(result) ? result.map(asRecord) : [];
  if (all.length > mostSeries) throw tooMany(place, all.length);
  return named(all.map(({ metric, value }) => ({ metric: asRecord(metric), value })));
}

function tooMany(place: string, count: number): LoadctlError {
  return new LoadctlError('unavailable', `${place} answers the query with ${count} series, more than ${mostSeries}`, {
    hint: 'Aggregate them: sum by (…), max by (…).',
  });
}

interface Answered {
  readonly metric: Readonly<Record<string, unknown>>;
  readonly value: unknown;
}

/** The metric's name is a part of a series' own where an answer has several. */
function named(all: readonly Answered[]): Series[] {
  const isOne = new Set(all.map(({ metric }) => metric.__name__)).size <= 1;
  return all.map(({ metric: { __name__: own, ...rest }, value: pair }) => {
    const labels = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
    const text = `${isOne || own === undefined ? '' : String(own)}${labelsText(labels)}`;
    const [at, value] = Array.isArray(pair) ? pair : [];
    return { name: text === '' ? 'value' : text, labels, at: Number(at), value: Number(value) };
  });
}

/** `{instance="app-1", job="app"}` */
function labelsText(labels: Labels): string {
  const shown = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return shown.length === 0 ? '' : `{${shown.join(', ')}}`;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
