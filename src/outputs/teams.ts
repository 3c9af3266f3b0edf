import { post } from './delivery/post.js';
import type { Message } from './kind/message.js';
import type { OpenOutput } from './kind/types.js';
import { parcelOf } from './messages/parcel.js';
import { plainWords } from './messages/plain-words.js';

/**
 * A channel or chat by a workflow "when a webhook request is received", as an Adaptive Card. What may have arrived is not sent
 * again, as it would stand there twice.
 */
export const teams: OpenOutput<'teams'> = ({ webhook }, { label }) => ({
  unit: 'message',
  repeatable: false,
  told: (message) => [parcelOf(message, payloadOf(message))],
  trial: ({ message }) => [parcelOf(message, payloadOf(message))],
  send: ({ body }, signal) => post({ url: webhook, body, signal, headers: { 'user-agent': label, 'content-type': 'application/json' } }),
});

const colours: Readonly<Record<Message['occasion'], string>> = {
  started: 'accent',
  breach: 'attention',
  recovered: 'good',
  passed: 'good',
  failed: 'attention',
  invalid: 'warning',
  interrupted: 'warning',
  'not-clean': 'attention',
  test: 'accent',
};

/** Teams takes 28 kB in all, and a character may be three bytes. */
const most = { title: 300, line: 270, fact: 300 };

function payloadOf({ occasion, title, facts, lines, link, dashboard }: Message): unknown {
  const actions = [pageOf(link, 'The result'), pageOf(dashboard, 'The dashboard')].flat();
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      words(plainWords(title, most.title), { weight: 'bolder', size: 'medium', color: colours[occasion] }),
      ...lines.map((line) => words(plainWords(line, most.line))),
      ...facts.map(({ name, value }) => words(`${name}: ${plainWords(value, most.fact)}`, { isSubtle: true, size: 'small' })),
    ],
    ...(actions.length === 0 ? {} : { actions }),
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }] };
}

function pageOf(url: string | undefined, title: string) {
  return url === undefined ? [] : [{ type: 'Action.OpenUrl', title, url }];
}

/** A text run is shown as it is; a TextBlock takes `[…](…)`, `*` and `_` for Markdown. */
function words(text: string, style: Readonly<Record<string, unknown>> = {}): unknown {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text, ...style }] };
}
