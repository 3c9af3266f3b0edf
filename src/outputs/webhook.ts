import { createHmac } from 'node:crypto';
import type { EpochMs } from '../core/quantities.js';
import { post } from './delivery/post.js';
import type { Message } from './kind/message.js';
import type { OpenOutput, Parcel } from './kind/types.js';
import { parcelOf } from './messages/parcel.js';
import { plainWords } from './messages/plain-words.js';

/** A receiver of one's own, as Standard Webhooks has it: whoever gets a message twice knows it by `webhook-id`. */
export const webhook: OpenOutput<'webhook'> = ({ url, secret }, { label, clock }) => ({
  unit: 'message',
  repeatable: true,
  told: (message) => [parcelIn(message)],
  trial: ({ message }) => [parcelIn(message)],
  send: (parcel, signal) =>
    post({
      url,
      body: parcel.body,
      signal,
      headers: { 'user-agent': label, ...signedHeaders(parcel, secret, clock.stamp()) },
      // The answer is the receiver's own affair, also where it is a page.
      reads: (status) => (status >= 200 && status < 300 ? { is: 'taken' } : undefined),
    }),
});

/** Receivers refuse more than some 20 kB, and a character may be three bytes. */
const most = { title: 400, line: 180, fact: 200, limit: 400 };

function parcelIn(message: Message): Parcel {
  const { occasion, at, t: _t, title, facts, lines, ...data } = message;
  const short = {
    title: plainWords(title, most.title),
    facts: facts.map(({ name, value }) => ({ name, value: plainWords(value, most.fact) })),
    lines: lines.map((line) => plainWords(line, most.line)),
  };
  const limit = data.limit === undefined ? {} : { limit: plainWords(data.limit, most.limit) };
  return parcelOf(message, {
    type: `run.${occasion}`,
    timestamp: new Date(at).toISOString(),
    data: { occasion, ...data, ...short, ...limit },
  });
}

/** What Standard Webhooks puts beside a body: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function signedHeaders({ id, body }: Parcel, secret: string | undefined, at: EpochMs): Record<string, string> {
  const timestamp = Math.floor(at / 1000);
  const headers = { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(timestamp) };
  if (secret === undefined) return headers;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}
