/** A metric's name and the tags that narrow it to a sub-metric; undefined tags where the key has no braces. */
export interface MetricName {
  readonly name: string;
  readonly tags: readonly (readonly [tag: string, value: string])[] | undefined;
}

/** What is wrong with a text, and at which of its characters (0 is the first). */
export interface Problem {
  readonly error: string;
  readonly at: number;
}

const validName = /^[a-zA-Z_][a-zA-Z0-9_]{1,128}$/;

/** Reads `name` or `name{tag:value,…}` by k6's rules (metrics.ParseMetricName, Metric.AddSubmetric). */
export function parseMetricName(key: string): MetricName | Problem {
  const open = key.indexOf('{');
  const close = key.lastIndexOf('}');
  const name = open < 0 ? key : key.slice(0, open);
  if (open < 0 !== close < 0) return { error: 'one of the braces { and } is missing', at: Math.max(open, close) };
  if (close < open) return { error: '} stands before {', at: close };
  if (open >= 0 && close !== key.length - 1) return { error: 'text after the closing brace', at: close + 1 };
  if (!validName.test(name)) {
    return { error: `"${name}" is not a metric name: 2 to 129 letters, digits and underscores, no digit first`, at: 0 };
  }
  return open < 0 ? { name, tags: undefined } : parseTags(name, key.slice(open + 1, close), open + 1);
}

function parseTags(name: string, text: string, start: number): MetricName | Problem {
  const tags = new Map<string, string>();
  let at = start;
  for (const one of pairsIn(text)) {
    const colon = one.indexOf(':');
    if (colon < 0 || colon === one.length - 1) return { error: `"${one}" is not a tag: write tag:value`, at };
    tags.set(bare(one.slice(0, colon)), valueIn(one.slice(colon + 1)));
    at += one.length + 1;
  }
  return { name, tags: [...tags] };
}

/** A value as JSON writes it, which is how {@link subMetricKey} spells those that k6 has no spelling for. */
const inJson = /^\s*"(?:[^"\\]|\\.)*"\s*$/;

/** A pair whose value is written as JSON, which may hold commas; any other ends at the next comma. */
const pair = /^[^,:]*:\s*"(?:[^"\\]|\\.)*"\s*(?=,|$)|^[^,]*/;

function pairsIn(text: string): string[] {
  const pairs: string[] = [];
  for (let at = 0; at <= text.length; at += (pairs.at(-1) ?? '').length + 1) pairs.push(pair.exec(text.slice(at))?.[0] ?? '');
  return pairs;
}

function valueIn(text: string): string {
  if (!inJson.test(text)) return bare(text);
  try {
    return String(JSON.parse(text));
  } catch {
    return bare(text);
  }
}

function bare(text: string): string {
  return text.trim().replace(/^["']+|["']+$/g, '');
}

/** Whether k6 has a spelling for this value of a tag in the name of a sub-metric: there is none for a comma, or quotes at an end. */
export function isSpeakable(value: string): boolean {
  return value !== '' && value === bare(value) && !value.includes(',') && !value.includes('\\');
}

/** The key of a sub-metric. */
export function subMetricKey(metric: string, tags: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(tags).map(([tag, value]) => `${tag}:${isSpeakable(value) ? value : JSON.stringify(value)}`);
  return `${metric}{${pairs.join(',')}}`;
}

/**
 * The same text for every spelling of the same sub-metric (order of tags, quotes, spaces): k6 makes one sub-metric of
 * them, and which spelling names it is chance.
 */
export function metricIdentity(key: string): string {
  const known = identities.get(key);
  if (known !== undefined) return known;
  const identity = identityOf(key);
  if (identities.size >= identitiesKept) identities.clear();
  identities.set(key, identity);
  return identity;
}

/** A lookup by another spelling compares with every key of a summary, once for each of hundreds of names. */
const identities = new Map<string, string>();
const identitiesKept = 20_000;

function identityOf(key: string): string {
  const parsed = parseMetricName(key);
  if ('error' in parsed) return key;
  const tags = parsed.tags?.map(([tag, value]) => JSON.stringify([tag, value])).sort();
  return tags ? `${parsed.name}{${tags.join(',')}}` : parsed.name;
}

/** The tags of a metric's key; none where it has no braces, or cannot be read. */
export function tagsIn(key: string): Readonly<Record<string, string>> {
  const parsed = parseMetricName(key);
  return 'error' in parsed ? {} : Object.fromEntries(parsed.tags ?? []);
}

/** The metric's name without its tags. */
export function baseName(key: string): string {
  const open = key.indexOf('{');
  return (open < 0 ? key : key.slice(0, open)).trim();
}

/** Looks a metric up by its key, in whichever spelling. */
export function findMetric<T>(metrics: Readonly<Record<string, T>>, key: string): T | undefined {
  return metricFinder(metrics)(key);
}

/** {@link findMetric} for many keys of the same metrics: however many are not there, all keys are read once at most. */
export function metricFinder<T>(metrics: Readonly<Record<string, T>>): (key: string) => T | undefined {
  let byIdentity: Map<string, T> | undefined;
  return (key) => {
    if (Object.hasOwn(metrics, key)) return metrics[key];
    // The first of several spellings: the last one that a map is given stays.
    byIdentity ??= new Map(
      Object.entries(metrics)
        .reverse()
        .map(([other, metric]) => [metricIdentity(other), metric]),
    );
    return byIdentity.get(metricIdentity(key));
  };
}
