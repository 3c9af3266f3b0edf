import { LoadctlError } from '../core/errors.js';
import type { MonitorLook } from '../core/monitors.js';
import { placeOf, placeText } from '../plan/hosts.js';
import { askJson, odd } from './kind/http.js';
import type { MonitorContext, MonitorOf, OpenMonitor } from './kind/types.js';
import { type Asked, asksOf } from './pods.js';

/** Whatever answers PromQL: each series of an answer is a source. */
export const prometheus: OpenMonitor<'prometheus'> = (monitor, context) => {
  const place = placeText(placeOf(monitor.url));
  const latest = new Map<string, number>();
  const asks = asksOf(monitor);
  const age = monitor.freshBy === undefined ? 'own' : `time() - max(timestamp(${monitor.freshBy}))`;
  const scale = monitor.unit === 'seconds' ? 1000 : 1;
  return [
    {
      source: place,
      drop: () => undefined,
      remarks: () => asks.flatMap(({ query }) => (age === 'own' && !isSelector(query) ? [ofUnknownAge(query)] : [])),
      look: async () => {
        const answers = await Promise.all(asks.map((asked) => askOne(asked, { monitor, context, age, scale })));
        const looks = together(answers.flat());
        if (looks.length === 0) throw noSeries(place);
        return looks.filter((look) => isNew(look, latest));
      },
    },
  ];
};

function noSeries(place: string): LoadctlError {
  return new LoadctlError('unavailable', `${place} knows no series for the query`, {
    hint: 'Correct the query; for what is only there once something happened, add: or vector(0)',
  });
}

function ofUnknownAge(query: string): string {
  return `how old an answer to \`${query}\` is remains unknown: it may be as old as the server's look-back (5 minutes, usually). Name freshBy.`;
}

interface Aged extends MonitorLook {
  /** When its sample was made, by the server's clock. */
  readonly madeAt: number;
}

/** A sample that was told before is not told again. */
function isNew({ source, madeAt }: Aged, latest: Map<string, number>): boolean {
  if ((latest.get(source) ?? Number.NEGATIVE_INFINITY) >= madeAt - 1e-3) return false;
  latest.set(source, madeAt);
  return true;
}

interface Way {
  readonly monitor: MonitorOf<'prometheus'>;
  readonly context: MonitorContext;
  readonly age: string;
  readonly scale: number;
}

async function askOne({ value, query }: Asked, { monitor, context, age, scale }: Way): Promise<Aged[]> {
  const ask = (promql: string) => series(monitor, context, promql);
  const own = age === 'own' && isSelector(query);
  const [found, times] = await Promise.all([ask(query), own ? ask(`timestamp(${query})`) : age === 'own' ? [] : ask(age)]);
  const madeAt = (labels: string, at: number) => {
    if (own) return times.find((one) => one.labels === labels)?.value ?? at;
    const seconds = times[0]?.value;
    return seconds === undefined ? at : at - seconds;
  };
  return found.map(({ labels, at, value: number }) => {
    const made = madeAt(labels, at);
    return { source: labels, values: { [value]: number * scale }, ageMs: Math.max(0, (at - made) * 1000), madeAt: made };
  });
}

/** Values of one source that were asked for one by one. */
function together(looks: readonly Aged[]): Aged[] {
  const bySource = new Map<string, Aged>();
  for (const look of looks) {
    const known = bySource.get(look.source);
    bySource.set(look.source, known === undefined ? look : { ...known, values: { ...known.values, ...look.values } });
  }
  return [...bySource.values()];
}

/** A metric's name, with labels or without: what it answers has a time of its own. */
export function isSelector(query: string): boolean {
  return /^\s*[a-zA-Z_:][\w:]*\s*(\{(?:[^{}"']|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')*\})?\s*$/.test(query);
}

interface Series {
  readonly labels: string;
  readonly at: number;
  readonly value: number;
}

async function series({ url, token, timeout }: MonitorOf<'prometheus'>, { label }: MonitorContext, query: string): Promise<Series[]> {
  const place = placeText(placeOf(url));
  const base = new URL(url);
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/api/v1/query`;
  const answer = await askJson(base.toString(), { token, label, timeout, explains: true, form: { query } });
  const { status, error, data } = asRecord(answer);
  if (status === 'error') {
    throw new LoadctlError('unavailable', `${place} does not take the query: ${String(error)}`, {
      hint: 'Correct the query of the monitor.',
    });
  }
  const { resultType, result } = asRecord(data);
  if (status !== 'success' || (resultType !== 'vector' && resultType !== 'scalar')) throw odd(place, 'no PromQL result');
  if (resultType === 'scalar') return [sample('', result)];
  return (Array.isArray(result) ? result : []).map((one: unknown) => {
    const { metric, value } = asRecord(one);
    return sample(labelsText(asRecord(metric)), value);
  });
}

function sample(labels: string, pair: unknown): Series {
  const [at, value] = Array.isArray(pair) ? pair : [];
  return { labels: labels === '' ? 'value' : labels, at: Number(at), value: Number(value) };
}

/** `{instance="app-1", job="app"}`, without the metric's own name. */
function labelsText(labels: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(labels)
    .filter(([name]) => name !== '__name__')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return shown.length === 0 ? '' : `{${shown.join(', ')}}`;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
