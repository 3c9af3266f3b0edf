import { slackApi } from '../plan/outputs.js';
import { post } from './delivery/post.js';
import type { Message } from './kind/message.js';
import type { Answer, OpenOutput, Output, OutputOf } from './kind/types.js';
import { parcelOf } from './messages/parcel.js';
import { plainWords } from './messages/plain-words.js';

/**
 * A channel by its incoming webhook, or by a bot, which makes a thread of a run. @slack/webhook has nothing that the delivery does
 * not do: it gives up on 429, and drops `Retry-After`. A message that may have arrived is not sent again, as it would stand there twice.
 */
export const slack: OpenOutput<'slack'> = (output, { label }) => {
  const isLoud = ({ occasion }: Message) => output.webhook === undefined && loudly.has(occasion);
  const parcels = (message: Message) => [parcelOf(message, { ...payloadOf(message), ...(isLoud(message) ? { loud: true } : {}) })];
  return {
    unit: 'message',
    repeatable: false,
    told: parcels,
    trial: ({ message }) => parcels(message),
    send: output.webhook === undefined ? threadIn(output, label) : channelOf(output.webhook, label),
  };
};

function channelOf(webhook: string, label: string): Output['send'] {
  const headers = { 'user-agent': label, 'content-type': 'application/json' };
  return ({ body }, signal) => post({ url: webhook, body, signal, headers });
}

/** The first message that arrives begins the thread, and what ends badly is shown in the channel as well. */
function threadIn(output: OutputOf<'slack'>, label: string): Output['send'] {
  const { token = '', channel } = output;
  const headers = { 'user-agent': label, 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${token}` };
  let thread: string | undefined;
  return async (parcel, signal) => {
    const { loud, ...payload } = JSON.parse(parcel.body) as { readonly loud?: boolean };
    const inThread = thread === undefined ? {} : { thread_ts: thread, ...(loud === true ? { reply_broadcast: true } : {}) };
    const reads = (status: number, text: string): Answer | undefined => {
      const { ok, error = 'no word', ts } = status === 200 ? answerIn(text) : {};
      if (ok === true) thread ??= ts;
      if (status !== 200 || ok === true) return undefined;
      return { is: passing.has(error) ? 'later' : 'refused', why: `Slack says ${error}` };
    };
    const body = JSON.stringify({ channel, ...payload, ...inThread });
    return post({ url: `${slackApi(output)}/chat.postMessage`, body, signal, headers, reads });
  };
}

/** What Slack answers 200 with although it did nothing, and may do later. */
const passing: ReadonlySet<string> = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
]);

function answerIn(text: string): { readonly ok?: boolean; readonly error?: string; readonly ts?: string } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Ends that whoever does not follow the thread is to see. */
const loudly: ReadonlySet<Message['occasion']> = new Set(['failed', 'invalid', 'interrupted', 'not-clean']);

const marks: Readonly<Record<Message['occasion'], string>> = {
  started: '▶',
  breach: '🔴',
  recovered: '🟢',
  passed: '✅',
  failed: '❌',
  invalid: '⚠️',
  interrupted: '⏹',
  'not-clean': '🧹',
  test: '🔔',
};

/** Slack's own limits: a header of 150 characters, a section of 3,000; some 13,000 in all. */
const most = { header: 140, line: 200, section: 2900, fact: 300 };

function payloadOf({ occasion, title, facts, lines, link, dashboard }: Message): object {
  const head = `${marks[occasion]} ${headline(title)}`;
  const shown = cut(
    lines.map((line) => escaped(plainWords(line, most.line))),
    most.section,
  );
  const links = [linkTo(link, 'The result'), linkTo(dashboard, 'The dashboard')].flat();
  return {
    text: escaped(head),
    blocks: [
      { type: 'header', text: plainText(head) },
      ...(shown === '' ? [] : [{ type: 'section', text: plainEscaped(shown) }]),
      { type: 'context', elements: facts.map(({ name, value }) => plainText(`${name}: ${plainWords(value, most.fact)}`)) },
      ...(links.length === 0 ? [] : [{ type: 'section', text: { type: 'mrkdwn', text: links.join(' · ') } }]),
    ],
  };
}

/** What is escaped counts as it is written. */
function headline(title: string): string {
  const words = plainWords(title, most.header);
  const longer = escaped(words).length - words.length;
  return longer === 0 ? words : plainWords(words, Math.max(most.header / 5, most.header - longer));
}

/** Nothing in a plain text is formatting, a link or a mention; Slack wants these three escaped there as well. */
function plainText(text: string) {
  return plainEscaped(escaped(text));
}

function plainEscaped(text: string) {
  return { type: 'plain_text', text, emoji: false };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function linkTo(link: string | undefined, words: string): string[] {
  return link === undefined ? [] : [`<${linkFor(link)}|${words}>`];
}

/** A `|` or `>` would end the link. */
function linkFor(link: string): string {
  return escaped(encodeURI(decoded(link)).replaceAll('|', '%7C'));
}

function decoded(link: string): string {
  try {
    return decodeURI(link);
  } catch {
    return link;
  }
}

/** As many lines as fit. */
function cut(lines: readonly string[], length: number): string {
  const text = lines.join('\n');
  return text.length <= length ? text : `${text.slice(0, text.lastIndexOf('\n', length))}\n…`;
}
