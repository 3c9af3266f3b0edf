import { createHash } from 'node:crypto';
import { post } from './delivery/post.js';
import type { Message } from './kind/message.js';
import type { OpenOutput, Parcel } from './kind/types.js';
import { parcelOf } from './messages/parcel.js';
import { plainWords } from './messages/plain-words.js';

/**
 * Events API v2. A breach is an incident that ends with it, or with the run; how the test came out is another one, which the
 * next run of this environment that passes ends.
 */
export const pagerduty: OpenOutput<'pagerduty'> = ({ routingKey, url }, { label }) => {
  const incidents = openIncidents();
  return {
    unit: 'message',
    // The same dedup_key is the same incident.
    repeatable: true,
    told: (message) => {
      if (message.occasion === 'started') return [];
      if (message.limit === undefined) return [...(message.occasion === 'not-clean' ? [] : incidents.closeAll()), ...resultEvents(message)];
      const key = keyOf(message, `${message.run} ${message.limit}`);
      return message.occasion === 'breach' ? incidents.open(key, message) : incidents.close(key, message);
    },
    closing: incidents.closeAll,
    owed: incidents.owed,
    // It is resolved with the next breath, and of a severity that services do not page for.
    trial: ({ message, testid }) => [event('trigger', keyOf(message, testid), message), event('resolve', keyOf(message, testid), message)],
    send: async ({ body }, signal) => {
      const said = JSON.parse(body) as { readonly event_action: string; readonly dedup_key: string };
      const whole = JSON.stringify({ routing_key: routingKey, ...said });
      const answer = await post({ url, body: whole, signal, headers: { 'user-agent': label, 'content-type': 'application/json' } });
      if (said.event_action === 'resolve' && (answer.is === 'taken' || answer.is === 'refused')) incidents.ended(said.dedup_key);
      return answer;
    },
  };
};

/** Incidents of broken limits, by their keys. */
interface Incidents {
  open(key: string, message: Message): Parcel[];
  close(key: string, message: Message): Parcel[];
  closeAll(): Parcel[];
  /** The other side has answered to an end. */
  ended(key: string): void;
  /** The ends that it has not answered to yet, made or not: in memory they are as good as not there. */
  owed(): Parcel[];
}

function openIncidents(): Incidents {
  const opened = new Map<string, Message>();
  const owing = new Map<string, { readonly message: Message; readonly onTheirWay: number }>();
  const onTheirWay = (key: string, change: number) => {
    const known = owing.get(key);
    if (known !== undefined) owing.set(key, { ...known, onTheirWay: known.onTheirWay + change });
    return known === undefined ? 0 : known.onTheirWay + change;
  };
  const close = (key: string, message: Message): Parcel[] => {
    if (!opened.delete(key)) return [];
    onTheirWay(key, 1);
    return [event('resolve', key, message)];
  };
  return {
    open: (key, message) => {
      opened.set(key, message);
      owing.set(key, { message, onTheirWay: owing.get(key)?.onTheirWay ?? 0 });
      return [event('trigger', key, message)];
    },
    close,
    closeAll: () => [...opened].flatMap(([key, message]) => close(key, message)),
    ended: (key) => {
      if (onTheirWay(key, -1) <= 0 && !opened.has(key)) owing.delete(key);
    },
    owed: () => [...owing].map(([key, { message }]) => event('resolve', key, message)),
  };
}

function resultEvents(message: Message): Parcel[] {
  const key = keyOf(message, message.occasion === 'not-clean' ? 'not clean' : 'result');
  return [event(message.occasion === 'passed' ? 'resolve' : 'trigger', key, message)];
}

/** PagerDuty takes 255 characters; a limit's name may be longer. */
function keyOf({ environment }: Message, what: string): string {
  return `loadctl/${environment.slice(0, 100)}/${createHash('sha256').update(what).digest('hex').slice(0, 32)}`;
}

const severities: Readonly<Partial<Record<Message['occasion'], string>>> = {
  breach: 'critical',
  failed: 'error',
  'not-clean': 'error',
  test: 'info',
};

/** PagerDuty's own limit is 1,024. */
const mostSummary = 1000;

function event(action: 'trigger' | 'resolve', key: string, message: Message): Parcel {
  const { occasion, title, at, facts, lines, link, dashboard } = message;
  const source = facts.find(({ name }) => name === 'target')?.value ?? 'loadctl';
  const payload = {
    summary: plainWords(title, mostSummary),
    source: plainWords(source, mostSummary),
    severity: severities[occasion] ?? 'warning',
    timestamp: new Date(at).toISOString(),
    custom_details: {
      ...Object.fromEntries(facts.map(({ name, value }) => [name, plainWords(value, mostSummary)])),
      lines: lines.map((line) => plainWords(line, 300)),
    },
  };
  const pages = [
    ...(link === undefined ? [] : [{ href: link, text: 'The result' }]),
    ...(dashboard === undefined ? [] : [{ href: dashboard, text: 'The dashboard' }]),
  ];
  const links = pages.length === 0 ? {} : { links: pages };
  const body = { event_action: action, dedup_key: key, ...(action === 'trigger' ? { payload, client: 'loadctl', ...links } : {}) };
  return parcelOf(message, body, `-${action}-${key.slice(-8)}`);
}
