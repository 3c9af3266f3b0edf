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
    return { error: `"${name}" is no metric name: 2 to 129 letters, digits and underscores, no digit first`, at: 0 };
  }
  return open < 0 ? { name, tags: undefined } : parseTags(name, key.slice(open + 1, close), open + 1);
}

function parseTags(name: string, text: string, start: number): MetricName | Problem {
  const tags = new Map<string, string>();
  let at = start;
  for (const pair of text.split(',')) {
    const colon = pair.indexOf(':');
    if (colon < 0 || colon === pair.length - 1) return { error: `"${pair}" is no tag: write tag:value`, at };
    tags.set(bare(pair.slice(0, colon)), bare(pair.slice(colon + 1)));
    at += pair.length + 1;
  }
  return { name, tags: [...tags] };
}

function bare(text: string): string {
  return text.trim().replace(/^["']+|["']+$/g, '');
}

/**
 * The same text for every spelling of the same sub-metric (order of tags, quotes, spaces): k6 makes one sub-metric of
 * them, and which spelling names it is chance.
 */
export function metricIdentity(key: string): string {
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
  if (Object.hasOwn(metrics, key)) return metrics[key];
  const identity = metricIdentity(key);
  return Object.entries(metrics).find(([other]) => metricIdentity(other) === identity)?.[1];
}
