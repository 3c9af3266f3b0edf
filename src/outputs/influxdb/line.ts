import { cutApart } from '../kind/cut-apart.js';

/** A point as InfluxDB has it. What is undefined, not a number or an empty tag is left out. */
export interface Point {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string | undefined>>;
  readonly fields: Readonly<Record<string, number | string | boolean | undefined>>;
  /** Nanoseconds since 1970, as they are written. */
  readonly at: string;
}

/** InfluxDB takes 64 kB of names and tags together. */
const mostTag = 1000;
const mostKey = 200;
const mostText = 8000;

/** A line of the line protocol, in its three parts. */
export interface Line {
  readonly series: string;
  readonly fields: string;
  readonly at: string;
}

/**
 * The line of a point; undefined for a point without a field, which is none. Numbers are floats, as k6's own output
 * writes them: another type would be refused where k6 wrote before.
 */
export function lineOf({ measurement, tags, fields, at }: Point): Line | undefined {
  const written = Object.entries(fields).flatMap(([name, value]) => {
    const text = fieldText(value);
    return text === undefined ? [] : [`${key(name)}=${text}`];
  });
  if (written.length === 0) return undefined;
  const tagged = new Map<string, string>();
  for (const [name, value] of Object.entries(tags)) {
    const [tag, text] = [tagKey(name), tagText(value ?? '')];
    if (tag !== '' && text !== '') tagged.set(tag, text);
  }
  const series = [oneLine(measurement).replace(/[, ]/g, '\\$&'), ...[...tagged].map(([tag, text]) => `${tag}=${text}`)];
  return { series: series.join(','), fields: written.join(','), at };
}

/** What a server keeps for itself: a point with such a tag is refused (1 and 3: `time`; 2: all of them). */
const reservedTags: ReadonlySet<string> = new Set(['time', '_field', '_measurement', '_time']);

/** Empty for a name that a line cannot hold; a tag that stands twice costs the point, and so does one without a name. */
function tagKey(name: string): string {
  const written = key(name);
  return reservedTags.has(written) ? `${written}_` : written;
}

function fieldText(value: number | string | boolean | undefined): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value === 'boolean') return String(value);
  return value === undefined ? undefined : `"${value.slice(0, mostText).replace(/["\\]/g, '\\$&')}"`;
}

function key(name: string, most = mostKey): string {
  return oneLine(cutApart(name, most)).replace(/[,= ]/g, '\\$&');
}

function tagText(value: string): string {
  return key(value, mostTag);
}

/** A line end would end the point, and a backslash at the end take what follows for its own. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trimStart()
    .replace(/[\s\\]+$/, '');
}

/** A moment in nanoseconds; `more` tells points of one series and millisecond apart. */
export function nanoseconds(epochMs: number, more = 0): string {
  const whole = Math.floor(epochMs);
  const fraction = Math.min(999_999, Math.floor((epochMs - whole) * 1e6) + more);
  return `${whole}${String(fraction).padStart(6, '0')}`;
}
