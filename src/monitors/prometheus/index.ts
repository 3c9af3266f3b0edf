import { LoadctlError } from '../../core/errors.js';
import type { MonitorLook } from '../../core/monitors.js';
import { placeOf, placeText } from '../../plan/hosts.js';
import { asker } from '../kind/http.js';
import type { MonitorOf, OpenMonitor } from '../kind/types.js';
import { type Ask, hasLeft, type Known } from './left.js';
import { type Asked, asksOf } from './pods.js';
import { type Labels, series } from './series.js';

/** Whatever answers PromQL: each series of an answer is a source. */
export const prometheus: OpenMonitor<'prometheus'> = (monitor, context) => {
  const place = placeText(placeOf(monitor.url));
  const latest = new Map<string, number>();
  const asks = asksOf(monitor);
  const age = monitor.freshBy === undefined ? 'own' : `time() - max(timestamp(${monitor.freshBy}))`;
  const { token, timeout } = monitor;
  const asking = asker({ token, timeout, label: context.label, clock: context.clock });
  const ask: Ask = (query, time) => series(monitor.url, asking, query, time);
  const scale = monitor.unit === 'seconds' ? 1000 : 1;
  const stays = attendance(ask, monitor);
  return [
    {
      source: place,
      drop: () => undefined,
      remarks: () => asks.flatMap(({ query }) => (age === 'own' && !isSelector(query) ? [ofUnknownAge(query)] : [])),
      look: async () => {
        const answers = await Promise.all(asks.map((asked) => askOne(asked, { ask, age, scale })));
        const looks = together(answers.flat());
        if (looks.length === 0) throw noSeries(place);
        const { there, gone } = await stays(looks);
        return [...there.filter((look) => isNew(look, latest)).map(asLook), ...gone];
      },
    },
  ];
};

/** So many of those who are missing are asked about at one look. */
const askedAtOnce = 50;

/** Follows who is there: hands back the looks of those who are, and tells once who has left. */
function attendance(ask: Ask, monitor: MonitorOf<'prometheus'>) {
  const known = new Map<string, Known>();
  const away = new Map<string, Known>();
  return async (looks: readonly Aged[]): Promise<{ readonly there: readonly Aged[]; readonly gone: readonly MonitorLook[] }> => {
    const told = new Map(looks.map((look) => [look.source, Object.keys(look.values).length]));
    const isWhole = (source: string, { values }: Known) => (told.get(source) ?? 0) >= values;
    const missing = [...known].filter(([source, one]) => !isWhole(source, one)).slice(0, askedAtOnce);
    const once = askedOnce(ask);
    const leaves = async ([source, one]: readonly [string, Known]) => ((await hasLeft(once, monitor, one)) ? [source] : []);
    // An answer to this may come a look later: who is missing counts for a hole until then.
    const gone = (await Promise.all(missing.map(leaves)).catch(() => [])).flat();
    for (const source of gone) {
      away.set(source, known.get(source) ?? noValues);
      known.delete(source);
    }
    // What a rate still says of one who has left is about the time before.
    const there = looks.filter(({ source }) => isWhole(source, away.get(source) ?? noValues));
    for (const { source, labels, madeAt, values } of there) {
      away.delete(source);
      known.set(source, { labels, madeAt, values: Math.max(Object.keys(values).length, known.get(source)?.values ?? 0) });
    }
    return { there, gone: gone.map((source) => ({ source, gone: true })) };
  };
}

/** Series of one target ask the same about it. */
function askedOnce(ask: Ask): Ask {
  const asked = new Map<string, ReturnType<Ask>>();
  return (query, time) => {
    const key = `${time} ${query}`;
    const answer = asked.get(key) ?? ask(query, time);
    asked.set(key, answer);
    return answer;
  };
}

const noValues: Known = { labels: {}, madeAt: 0, values: 0 };

function noSeries(place: string): LoadctlError {
  return new LoadctlError('unavailable', `${place} knows no series for the query`, {
    hint: 'Correct the query; for what is only there once something happened, add: or vector(0)',
  });
}

function ofUnknownAge(query: string): string {
  return `how old an answer to \`${query}\` is remains unknown: it may be as old as the server's look-back (5 minutes, usually). Name freshBy.`;
}

interface Aged extends Required<Pick<MonitorLook, 'source' | 'values' | 'ageMs'>> {
  readonly labels: Labels;
  /** When its sample was made, by the server's clock. */
  readonly madeAt: number;
}

/** A sample that was told before is not told again. */
function isNew({ source, madeAt }: Aged, latest: Map<string, number>): boolean {
  if ((latest.get(source) ?? Number.NEGATIVE_INFINITY) >= madeAt - 1e-3) return false;
  latest.set(source, madeAt);
  return true;
}

/** What is told of a source. */
function asLook({ source, values, ageMs }: Aged): MonitorLook {
  return { source, values, ageMs };
}

interface Way {
  readonly ask: Ask;
  readonly age: string;
  readonly scale: number;
}

async function askOne({ value, query }: Asked, { ask, age, scale }: Way): Promise<Aged[]> {
  const own = age === 'own' && isSelector(query);
  const [found, times] = await Promise.all([ask(query), own ? ask(`timestamp(${query})`) : age === 'own' ? [] : ask(age)]);
  const byName = new Map(times.map((one) => [one.name, one.value]));
  const madeAt = (name: string, at: number) => {
    if (own) return byName.get(name) ?? at;
    const seconds = times[0]?.value;
    return seconds === undefined ? at : at - seconds;
  };
  return found.map(({ name, labels, at, value: number }) => {
    const made = madeAt(name, at);
    return { source: name, labels, values: { [value]: number * scale }, ageMs: Math.max(0, (at - made) * 1000), madeAt: made };
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
