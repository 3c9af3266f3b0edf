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
  const open = new Map<string, Message>();
  const ends = () => [...open].map(([key, message]) => event('resolve', key, message));
  const close = (): Parcel[] => {
    const parcels = ends();
    open.clear();
    return parcels;
  };
  return {
    unit: 'message',
    // The same dedup_key is the same incident.
    repeatable: true,
    told: (message) => {
      if (message.occasion === 'started') return [];
      if (message.limit === undefined) return [...(message.occasion === 'not-clean' ? [] : close()), ...resultEvents(message)];
      const key = keyOf(message, `${message.run} ${message.limit}`);
      if (message.occasion === 'recovered' && !open.delete(key)) return [];
      if (message.occasion === 'breach') open.set(key, message);
      return [event(message.occasion === 'breach' ? 'trigger' : 'resolve', key, message)];
    },
    closing: close,
    owed: ends,
    // It is resolved with the next breath, and of a severity that services do not page for.
    trial: ({ message, testid }) => [event('trigger', keyOf(message, testid), message), event('resolve', keyOf(message, testid), message)],
    send: ({ body }, signal) => {
      const whole = JSON.stringify({ routing_key: routingKey, ...JSON.parse(body) });
      return post({ url, body: whole, signal, headers: { 'user-agent': label, 'content-type': 'application/json' } });
    },
  };
};

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
