import { post } from './delivery/post.js';
import type { Message } from './kind/message.js';
import type { OpenOutput } from './kind/types.js';
import { parcelOf } from './messages/parcel.js';
import { plainWords } from './messages/plain-words.js';

/**
 * A channel by its incoming webhook. @slack/webhook has nothing that the delivery does not do: it gives up on 429, and drops
 * `Retry-After`. A message that may have arrived is not sent again, as it would stand there twice.
 */
export const slack: OpenOutput<'slack'> = ({ webhook }, { label }) => ({
  unit: 'message',
  repeatable: false,
  told: (message) => [parcelOf(message, payloadOf(message))],
  send: ({ body }, signal) => post({ url: webhook, body, signal, headers: { 'user-agent': label, 'content-type': 'application/json' } }),
});

const marks: Readonly<Record<Message['occasion'], string>> = {
  started: '▶',
  breach: '🔴',
  recovered: '🟢',
  passed: '✅',
  failed: '❌',
  invalid: '⚠️',
  interrupted: '⏹',
  'not-clean': '🧹',
};

/** Slack's own limits: a header of 150 characters, a section of 3,000; some 13,000 in all. */
const most = { header: 140, line: 200, section: 2900, fact: 300 };

function payloadOf({ occasion, title, facts, lines, link }: Message): unknown {
  const head = `${marks[occasion]} ${headline(title)}`;
  const shown = lines.map((line) => plainWords(line, most.line));
  return {
    text: escaped(head),
    blocks: [
      { type: 'header', text: plainText(head) },
      ...(shown.length === 0 ? [] : [{ type: 'section', text: plainText(cut(shown.join('\n'), most.section)) }]),
      { type: 'context', elements: facts.map(({ name, value }) => plainText(`${name}: ${plainWords(value, most.fact)}`)) },
      ...(link === undefined ? [] : [{ type: 'section', text: { type: 'mrkdwn', text: `<${linkFor(link)}|The result>` } }]),
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
  return { type: 'plain_text', text: escaped(text), emoji: false };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
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

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, text.lastIndexOf('\n', length))}\n…`;
}
