import type { Redactor } from './redactor.js';

/**
 * Takes secrets out of data that loadctl shows or stores, value by value, before it is serialised. Fields keep their names, and
 * what holds one word of a fixed set or an id of loadctl's own stays: a password may be spelled like one.
 */
export function redactData<T>(data: T, redactor: Redactor): T {
  return clean(data, '', { redactor, say: (text) => redactor.text(text), ours: true }) as T;
}

/** The same for data of k6 or a script: nothing in it is loadctl's word. */
export function redactForeign<T>(data: T, redactor: Redactor): T {
  return clean(data, '', { redactor, say: (text) => redactor.output(text), ours: false }) as T;
}

interface Way {
  readonly redactor: Redactor;
  readonly say: (text: string) => string;
  /** Whether {@link fixedFields} are what their names say. */
  readonly ours: boolean;
}

const fields = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/));

/** Fields that hold a word of a fixed set, a number in words, or an id of loadctl's own. */
const fixedFields = fields(`
  type code phase kind result unit operator source outcome verdict stat window limit of threshold cause contains state from backend strategy
  run runner directory step segment sequence version k6Version hash planHash sha256 archiveSha256 gitCommit startedAt finishedAt
  countedBefore at sum sumBefore sumAfter fingerprint place
`);
/** The same where it is one word; elsewhere these fields hold sentences. */
const wordFields = fields('command why reasons what how live loaded proof guard signal store set');
/** What a script may have named: an endpoint, a check, a group. */
const nameFields = fields('name path');
/** The key of a metric, whose name a script may have made. */
const metricFields = fields('metric counter');
/** Maps whose keys are such names, or keys of metrics. */
const namedMaps = fields('endpoints scenarios tags');
/** In what k6 wrote, these are maps by name, too. */
const namedMapsOfK6 = fields('groups checks');
const metricMaps = fields('metrics thresholds scriptThresholds contains');
/** What is below these is the user's. */
const usersFields = fields('profile options env overrides columns value');
/** What a script or k6 wrote. */
const outputFields = fields('stdout stderr');

function clean(value: unknown, field: string, way: Way): unknown {
  if (typeof value === 'string') return cleanText(value, field, way);
  // An item of a list is no map of names.
  if (Array.isArray(value)) return value.map((item) => clean(item, typeof item === 'string' ? field : '', way));
  if (typeof value !== 'object' || value === null) return value;
  const below = usersFields.has(field) ? { ...way, ours: false } : way;
  const entries = Object.entries(value).map(([key, inner]) => {
    // A name is no field, whatever it is spelled like. What k6 took for a threshold is one.
    if (metricMaps.has(field)) return [metricKey(key, way), clean(inner, field === 'scriptThresholds' ? 'threshold' : '', way)];
    const isNamed = namedMaps.has(field) || (!way.ours && namedMapsOfK6.has(field));
    return isNamed ? [way.redactor.name(key), clean(inner, '', way)] : [key, clean(inner, key, below)];
  });
  return Object.fromEntries(entries);
}

function cleanText(text: string, field: string, way: Way): string {
  if (way.ours && (fixedFields.has(field) || (wordFields.has(field) && /^[\w-]+$/.test(text)))) return text;
  if (metricFields.has(field)) return metricKey(text, way);
  if (nameFields.has(field)) return afterMetric(text, (name) => way.redactor.name(name));
  return outputFields.has(field) ? way.redactor.output(text) : way.say(text);
}

/** A key that is one to k6, too: brackets have no place in a metric's name. */
function metricKey(key: string, { redactor }: Way): string {
  return afterMetric(key, (rest) => {
    const open = rest.indexOf('{');
    const [name, tags] = open < 0 ? [rest, ''] : [rest.slice(0, open), rest.slice(open)];
    return (
      redactor.name(name).replace(/\[(redacted)(?: (\d+))?\]/g, (_, word, number) => (number ? `${word}_${number}` : word)) +
      redactor.name(tags)
    );
  });
}

/** A metric of k6's own keeps its name, whatever tags narrow it and whatever is said of it. */
function afterMetric(text: string, change: (rest: string) => string): string {
  const [own = ''] = k6Metric.exec(text) ?? [];
  return own + change(text.slice(own.length));
}

const k6Metric =
  /^(checks|vus|vus_max|iterations|iteration_duration|dropped_iterations|group_duration|data_sent|data_received|http_reqs|http_req_(blocked|connecting|duration|failed|receiving|sending|tls_handshaking|waiting))(?!\w)/;
