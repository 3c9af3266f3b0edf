import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import type { LoadctlEvent, LoggedEvent } from '../../src/core/events.js';
import { occasions } from '../../src/core/outputs.js';
import type { Receipt } from '../../src/core/receipt.js';
import { openRedactor } from '../../src/core/redactor.js';
import type { JudgedCriterion, Verdict, VerdictWord } from '../../src/core/verdict.js';
import { openOutput } from '../../src/outputs/index.js';
import { type Message, mostLines } from '../../src/outputs/kind/message.js';
import { calm } from '../../src/outputs/messages/calm.js';
import { messagesOf } from '../../src/outputs/messages/of-run.js';
import { plainWords } from '../../src/outputs/messages/plain-words.js';
import type { PlannedOutput } from '../../src/plan/outputs.js';
import { openWorld } from '../../src/world.js';
import { runId } from '../support/ids.js';
import { startSink } from '../support/sink.js';
import { load, planHere } from './profile-files.js';

const plan = planHere(
  load({
    'test.yaml': `target: {url: http://shop.example.com}
workload: {script: k6.ts, vus: 100, duration: 1m}
sla: {p95: < 500ms}
guards: {allow: [shop.example.com]}
`,
  }),
);
const p95 = plan.criteria[0] as Criterion;
const by = { user: 'ann', host: 'laptop' };

function at(t: number, event: LoadctlEvent): LoggedEvent {
  return { at: 1_800_000_000_000 + t, t, ...event };
}

const opened = at(0, { type: 'run-opened', run: runId('r1'), directory: '/work/.loadctl/runs/r1', planHash: 'h' });
const actual = { value: 812, low: 800, high: 820 };
const breached = (t: number, limit = p95) => at(t, { type: 'limit-breached', limit, actual, forMs: 10_000 });
const recovered = (t: number, limit = p95) => at(t, { type: 'limit-recovered', limit, actual, forMs: 30_000 });

function judged(verdict: VerdictWord, criteria: readonly Partial<JudgedCriterion>[], reasons: string[] = []): LoggedEvent {
  const whole = criteria.map(
    (one) =>
      ({
        name: 'p95',
        source: 'client',
        metric: 'm',
        limit: '< 500 ms',
        actual: 812,
        low: 800,
        high: 820,
        unit: 'ms',
        window: 'w',
        ...one,
      }) as JudgedCriterion,
  );
  const said: Verdict = { version: 1, run: runId('r1'), verdict, reasons, criteria: whole };
  return at(70_000, { type: 'judged', run: runId('r1'), verdict: said });
}

function told(...events: LoggedEvent[]): Message[] {
  const toMessage = messagesOf({ plan, by });
  return events.flatMap((event) => toMessage(event) ?? []);
}

describe('a run', () => {
  test('is told as it goes: what, where, who, how much', () => {
    const messages = told(opened, at(1000, { type: 'fleet-released', runners: 1 }), breached(20_000), recovered(60_000));
    expect(messages.map(({ occasion, title }) => [occasion, title])).toEqual([
      ['started', 'The load test on test has started'],
      ['breach', 'test: p95 < 500 ms is broken: 812 ms for 10s'],
      ['recovered', 'test: p95 < 500 ms holds again after 30s'],
    ]);
    expect(messages[1]).toMatchObject({ run: 'r1', environment: 'test', at: 1_800_000_020_000 });
    expect(messages[1]?.facts).toEqual([
      { name: 'target', value: 'http://shop.example.com' },
      { name: 'load', value: '100 VUs for 1m, 1 local runner' },
      { name: 'by', value: 'ann on laptop' },
      { name: 'run', value: 'r1' },
      { name: 'result', value: 'laptop:/work/.loadctl/runs/r1' },
    ]);
    expect(messages[1]?.limit).toBe(messages[2]?.limit);
  });

  test('with a CI job: its link, and no path on a machine that is gone', () => {
    const toMessage = messagesOf({ plan, by, link: 'https://ci.example.com/job/7' });
    const [message] = [opened, breached(1)].flatMap((event) => toMessage(event) ?? []);
    expect(message).toMatchObject({ link: 'https://ci.example.com/job/7' });
    expect(message?.facts.map(({ name }) => name)).not.toContain('result');
  });

  test.each([
    ['pass', 'passed'],
    ['fail', 'failed'],
    ['invalid', 'invalid'],
    ['interrupted', 'interrupted'],
  ] as const)('%s is told as %s', (verdict, occasion) => {
    expect(told(judged(verdict, []))[0]?.occasion).toBe(occasion);
  });

  test('its failed criteria stand first, and a long list is cut', () => {
    const good = Array.from({ length: 30 }, (_, index) => ({ name: `good ${index}`, outcome: 'pass' }) as const);
    const [message] = told(
      judged(
        'fail',
        [...good, { name: 'p95', outcome: 'fail' }, { name: 'cpu', actual: null, outcome: 'no-data' }],
        ['A runner was lost.'],
      ),
    );
    expect(message?.lines.slice(0, 3)).toEqual(['✖ p95 < 500 ms: 812 ms', '✖ cpu < 500 ms (no data)', 'A runner was lost.']);
    expect([message?.lines.length, message?.lines.at(-1)]).toEqual([mostLines + 1, 'and 13 more']);
  });

  test('a cleanup is told only where it is not proven', () => {
    const receipt = (proven: boolean, dryRun = false) =>
      at(1, {
        type: 'receipt-made',
        receipt: {
          proven,
          dryRun,
          environment: 'test',
          lines: [
            { kind: 'kept', store: 'db', shard: null, what: 'users', count: 5 },
            { kind: 'left', store: 'db', shard: null, what: 'orders', count: 1200 },
          ],
        } as unknown as Receipt,
      });
    expect(told(receipt(true), receipt(false, true))).toEqual([]);
    expect(told(receipt(false))[0]).toMatchObject({ occasion: 'not-clean', lines: ['orders: 1,200 left'] });
  });
});

describe('a limit that goes to and fro', () => {
  /** What is told when, as `second: occasion`. */
  const shown = (events: readonly LoggedEvent[], untilMs: number) => {
    const calmed = calm();
    const toMessage = messagesOf({ plan, by });
    const all: string[] = [];
    for (let t = 0; t <= untilMs; t += 1000) {
      for (const { occasion } of calmed.due(t)) all.push(`${t / 1000}: ${occasion}`);
      for (const event of events.filter((one) => one.t === t)) {
        const message = toMessage(event);
        const now = message && calmed.take(message);
        if (now !== undefined) all.push(`${t / 1000}: ${now.occasion}`);
      }
    }
    return all;
  };

  test('is told with its first end at once, then once a minute at most, and as it stands then', () => {
    expect(shown([breached(10_000), recovered(20_000)], 200_000)).toEqual(['10: breach', '20: recovered']);
    const flaps = Array.from({ length: 20 }, (_, index) => [breached(10_000 + index * 20_000), recovered(20_000 + index * 20_000)]).flat();
    const all = shown(flaps, 500_000);
    expect(all.slice(0, 3)).toEqual(['10: breach', '20: recovered', '80: breach']);
    const seconds = all.map((line) => Number.parseInt(line, 10));
    expect(seconds.slice(2).every((second, index) => second - (seconds[index + 1] ?? 0) >= 60)).toBe(true);
    expect(all.at(-1)).toMatch(/recovered$/);
    expect(shown([breached(10_000), recovered(20_000), breached(30_000), recovered(40_000)], 200_000)).toEqual([
      '10: breach',
      '20: recovered',
    ]);
    expect(shown([breached(10_000), recovered(20_000), breached(30_000)], 200_000)).toEqual(['10: breach', '20: recovered', '80: breach']);
  });

  test('holds nobody else back', () => {
    const other = { ...p95, name: 'p99' };
    expect(shown([breached(10_000), breached(12_000, other), judged('fail', [])], 100_000)).toEqual([
      '10: breach',
      '12: breach',
      '70: failed',
    ]);
  });
});

const evil = `<!channel> <https://evil|click> @channel & "quotes", a=b\n*bold*\u202e\u0007 [x](http://evil) ${'long '.repeat(3000)}`;
const hostile = told(opened, breached(1000, { ...p95, name: evil }), judged('fail', [{ name: evil, outcome: 'fail' }], [evil]));
const link = 'https://ci.example.com/a|b>c<d?x=1&y="';

const common = { on: [...occasions] };
/** The bodies that an output of this kind makes of messages, and what a receiver of it gets. */
async function bodiesOf(output: PlannedOutput, messages: readonly Message[]): Promise<string[]> {
  const { told: make, closing } = openOutput(output, {
    label: 'loadctl/test',
    environment: 'test',
    clock: openWorld().clock,
    redact: openRedactor(),
  });
  return [...messages.flatMap((message) => make?.(message) ?? []), ...(closing?.() ?? [])].map(({ body }) => body);
}

test('foreign text is one short line that wakes nobody', () => {
  const line = plainWords(evil, 100);
  expect(line).toHaveLength(100);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
  expect(line).not.toMatch(/[\u0000-\u001f\u202e]|@channel/);
  expect(plainWords(`${'x'.repeat(98)}😀😀`, 100)).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
});

test('slack: every text is plain and escaped, and within its limits', async () => {
  const output: PlannedOutput = { name: 's', kind: 'slack', webhook: 'http://127.0.0.1:1', ...common };
  for (const body of await bodiesOf(
    output,
    hostile.map((message) => ({ ...message, link })),
  )) {
    const { text, blocks } = JSON.parse(body) as { text: string; blocks: { type: string; text?: SlackText; elements?: SlackText[] }[] };
    const texts = blocks.flatMap((block) => [block.text, ...(block.elements ?? [])]).filter((one) => one !== undefined);
    const [plain, marked] = [texts.filter(({ type }) => type === 'plain_text'), texts.filter(({ type }) => type === 'mrkdwn')];
    for (const each of [text, ...plain.map((one) => one.text)]) {
      expect(each).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)|@channel/);
      expect(each.length).toBeLessThanOrEqual(3000);
    }
    expect(marked.map((one) => one.text)).toEqual(['<https://ci.example.com/a%7Cb%3Ec%3Cd?x=1&amp;y=%22|The result>']);
    expect(blocks[0]?.text?.text.length).toBeLessThanOrEqual(150);
    expect(body.length).toBeLessThan(13_000);
  }
});

interface SlackText {
  readonly type: string;
  readonly text: string;
}

test('teams: foreign text stands in text runs, where nothing is Markdown; a card is below 28 kB', async () => {
  const many = Array.from({ length: 21 }, () => evil);
  const output: PlannedOutput = { name: 't', kind: 'teams', webhook: 'http://127.0.0.1:1', ...common };
  for (const body of await bodiesOf(
    output,
    hostile.map((message) => ({ ...message, lines: many, link })),
  )) {
    expect(Buffer.byteLength(body)).toBeLessThan(28_000);
    const { type, attachments } = JSON.parse(body);
    expect([type, attachments[0].contentType, attachments[0].content.version]).toEqual([
      'message',
      'application/vnd.microsoft.card.adaptive',
      '1.4',
    ]);
    for (const block of attachments[0].content.body) expect([block.type, block.inlines[0].type]).toEqual(['RichTextBlock', 'TextRun']);
  }
});

test.each([
  ['three bytes', '漢'.repeat(3000)],
  ['what Slack wants escaped', '&<>'.repeat(1000)],
  ['a URL’s parameters', 'GET /search?from=1&to=2&by=name&page=3&size=50 '.repeat(60)],
  ['control characters', '\u0007\u0085'.repeat(1500)],
  ['half of a letter', '\ud83d'.repeat(3000)],
])('what is made of names of %s is within the limits of each place', async (_, name) => {
  const facts = Array.from({ length: 6 }, () => ({ name: 'target', value: name }));
  const [failed] = told(opened, judged('fail', [])).slice(-1);
  const message = { ...(failed as Message), title: name, facts, lines: Array.from({ length: 21 }, () => name), limit: name, link };
  const [hook = ''] = await bodiesOf({ name: 'w', kind: 'webhook', url: 'http://127.0.0.1:1', ...common }, [message]);
  const [teams = ''] = await bodiesOf({ name: 't', kind: 'teams', webhook: 'http://127.0.0.1:1', ...common }, [message]);
  const [slack = ''] = await bodiesOf({ name: 's', kind: 'slack', webhook: 'http://127.0.0.1:1', ...common }, [message]);
  expect([Buffer.byteLength(hook) < 20_000, Buffer.byteLength(teams) < 28_000]).toEqual([true, true]);
  const { blocks } = JSON.parse(slack) as { blocks: { text?: SlackText; elements?: SlackText[] }[] };
  const lengths = blocks.map((block) => Math.max(...[block.text, ...(block.elements ?? [])].map((one) => one?.text.length ?? 0)));
  expect([lengths.length, lengths.every((length) => length <= 3000)]).toEqual([4, true]);
  expect(slack.length).toBeLessThan(14_000);
});

describe('pagerduty', () => {
  const output: PlannedOutput = { name: 'p', kind: 'pagerduty', routingKey: 'key', url: 'http://127.0.0.1:1', ...common };
  const events = async (messages: readonly Message[]) =>
    (await bodiesOf(output, messages)).map(
      (body) => JSON.parse(body) as { event_action: string; dedup_key: string; payload?: { summary: string } },
    );

  test('a breach opens an incident, its end resolves the same one; the result is another one', async () => {
    const [breach, end, result] = await events(told(opened, breached(1000), recovered(90_000), judged('fail', [])));
    expect([breach?.event_action, end?.event_action, result?.event_action]).toEqual(['trigger', 'resolve', 'trigger']);
    expect(end?.dedup_key).toBe(breach?.dedup_key);
    expect(result?.dedup_key).not.toBe(breach?.dedup_key);
    const [passed] = await events(told(judged('pass', [])));
    expect(passed).toMatchObject({ event_action: 'resolve', dedup_key: result?.dedup_key });
  });

  test('what is open ends with the run, however that ends; a key is never too long', async () => {
    const [breach, end] = await events(told(opened, breached(1000, { ...p95, name: evil }), judged('interrupted', [])));
    expect([end?.event_action, end?.dedup_key]).toEqual(['resolve', breach?.dedup_key]);
    expect(breach?.dedup_key.length).toBeLessThan(256);
    expect(breach?.payload?.summary.length).toBeLessThanOrEqual(1024);
    const left = await events(told(opened, breached(1000)));
    expect(left.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve']);
  });

  test.each([
    ['that is over', recovered(2000)],
    ['of a run that is judged', judged('invalid', [])],
  ])('the end of a breach %s is owed until the other side has it', async (_, end) => {
    const sink = await startSink();
    const pager = openOutput(
      { ...output, url: sink.url },
      { label: 'l', environment: 'test', clock: openWorld().clock, redact: openRedactor() },
    );
    const owed = () => pager.owed?.().map(({ body }) => JSON.parse(body).event_action as string);
    const never = new AbortController().signal;
    const [trigger, resolve] = told(opened, breached(1000), end).flatMap((message) => pager.told?.(message) ?? []);
    if (trigger === undefined || resolve === undefined) throw new Error('there are two');
    await pager.send(trigger, never);
    sink.answer({ status: 429 });
    await pager.send(resolve, never);
    expect(owed()).toEqual(['resolve']);
    sink.answer({ status: 202 });
    await pager.send(resolve, never);
    expect([sink.taken.length, owed()]).toEqual([2, []]);
  });
});

describe('a webhook', () => {
  test('tells of two limits that break at one moment under two ids, and of each again under the same', () => {
    const output = openOutput(
      { name: 'h', kind: 'webhook', url: 'http://127.0.0.1:1', ...common },
      { label: 'l', environment: 'test', clock: openWorld().clock, redact: openRedactor() },
    );
    const ids = () =>
      told(opened, breached(1000), breached(1000, { ...p95, name: 'p99' })).flatMap((message) =>
        output.told?.(message).map(({ id }) => id),
      );
    expect([new Set(ids()).size, ids()]).toEqual([2, ids()]);
  });

  const secret = `whsec_${Buffer.from('a secret of some length').toString('base64')}`;

  test('is signed so that the library of Standard Webhooks verifies it, and what was tampered with it does not', async () => {
    const sink = await startSink();
    const output = openOutput(
      { name: 'h', kind: 'webhook', url: `${sink.url}/in`, secret, ...common },
      { label: 'loadctl/test', environment: 'test', clock: openWorld().clock, redact: openRedactor() },
    );
    for (const message of hostile)
      for (const parcel of output.told?.(message) ?? []) await output.send(parcel, new AbortController().signal);
    expect(sink.sent.length).toBe(2);
    for (const { headers, body } of sink.sent) {
      const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
      expect(new Webhook(secret).verify(body, given)).toMatchObject({
        type: expect.stringMatching(/^run\./),
        data: { environment: 'test', run: 'r1' },
      });
      expect(() => new Webhook(secret).verify(body.replace('test', 'prod'), given)).toThrow();
      expect(() => new Webhook(`whsec_${Buffer.from('another secret, also long').toString('base64')}`).verify(body, given)).toThrow();
    }
    expect(new Set(sink.sent.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  });
});
