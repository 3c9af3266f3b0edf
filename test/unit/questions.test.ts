import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { askQuestion, type Question } from '../../src/commands/call/question.js';
import { answerQuestions } from '../../src/commands/cluster/answer-questions.js';
import { askedQuestions } from '../../src/commands/conductor/questions.js';
import type { LoadctlEvent, LoggedEvent } from '../../src/core/events.js';
import { redactData } from '../../src/core/redact-data.js';
import { openRedactor } from '../../src/core/redactor.js';
import { harmlessJson } from '../../src/core/sanitise.js';
import { doorProtocol } from '../../src/door/protocol.js';
import type { PlanNotes } from '../../src/reporters/plan-table.js';
import { makeTeller } from '../../src/reporters/sentences/index.js';
import { openWorld } from '../../src/world.js';
import { type Looks, terminalCall } from '../support/terminal-call.js';
import { load, planHere } from './profile-files.js';

const { clock } = openWorld();
const esc = '\u001b';

/** A password that is a word of loadctl's own, too, and one that stands in what a server says. */
const secrets = ['postgres', 'hunter2-of-the-trigger'];

const plan = planHere(
  load({
    'test.yaml': `environment: test
target: {url: https://shop.example.com, health: /healthz}
workload: {script: k6.ts, vus: 1000, duration: 10m, mix: {reservations: 40%, events: 60%}}
stores: {db: {kind: postgres, url: "postgres://u@db.example.com/d", password: postgres}}
seed: {users: {table: db.users, rows: 1000, columns: {id: "user-{n}"}}}
guards: {allow: ["*.example.com"]}
sla: {p95: < 500ms}
`,
  }),
);

const notes: PlanNotes = {
  file: 'profiles/test.yaml',
  variables: [
    { name: 'DB_PASSWORD', from: '.env.test' },
    { name: 'NOT_SET', from: 'missing' },
  ],
  overrides: [{ path: 'workload.vus', value: '1000' }],
  unbuilt: [],
  refusals: [],
  changingHash: ['NOT_SET'],
  foreseen: undefined,
  does: ['seed', 'load', 'cleanup'],
  seeded: true,
  setOff: [
    `db.users: the trigger ${esc}[2J${esc}[31mwelcome${esc}[m, which runs AFTER INSERT for each row, and then sends a mail to everybody who ever signed up`,
    '##vso[task.complete result=Succeeded]',
    'db: triggers and cascades could not be determined: hunter2-of-the-trigger was refused',
  ],
};

const changed = [{ store: 'db', shard: 1, what: `users (db.${esc}[1musers)`, count: 3, examples: ['user-3: name `Bob`', 'user-4: 測試'] }];

const cases: Record<string, Question> = {
  'a plan': { shown: { kind: 'plan', plan, notes }, prompt: "Type the environment's name to continue (test): " },
  'a plan with a prompt that acts': { shown: { kind: 'plan', plan, notes }, prompt: `${esc}]0;title\u0007${esc}[2JType: ` },
  'changed rows': { shown: { kind: 'changed-rows', changed }, prompt: 'Type their number to remove them (3): ' },
  'changed rows, only shown': { shown: { kind: 'changed-rows', changed } },
};

const looks: Looks[] = [
  { coloured: false },
  { coloured: true },
  { coloured: false, width: 60 },
  { coloured: true, width: 60 },
  { coloured: true, width: 200 },
];

/** What a terminal shows of a question that is asked right there, and the answer. */
async function askedHere(question: Question, look: Looks, typed: string | undefined) {
  const { call, text } = terminalCall(look, typed);
  const means = { emit: () => {}, signal: new AbortController().signal };
  return { answer: await askQuestion({ ...call, redact: openRedactor(...secrets) }, question, means), text: text() };
}

/** The same where it is asked in a pod, whose process has no terminal, and followed at one. */
async function askedInside(question: Question, look: Looks, typed: string | undefined) {
  const [pod, here] = [terminalCall({ coloured: false }), terminalCall(look, typed)];
  const questions = askedQuestions(clock, 600_000);
  const redact = openRedactor(...secrets);
  const lines: string[] = [];
  const door = {
    state: async () => ({ protocol: doorProtocol, loadctl: '0', k6: null, state: 'running' as const, question: questions.open() ?? 0 }),
    answer: async (answer: Parameters<typeof questions.answer>[0]) => questions.answer(answer),
  };
  const following = { clock, signal: new AbortController().signal, away: async () => {} };
  const follow = await answerQuestions(here.call, { door, following });
  const emit = (event: LoadctlEvent) => {
    const line = harmlessJson(JSON.stringify({ at: 0, t: 0, ...redactData(event, redact) }));
    lines.push(line);
    follow(JSON.parse(line) as LoggedEvent);
  };
  const answer = await askQuestion({ ...pod.call, redact, questions }, question, { emit, signal: new AbortController().signal });
  return { answer, text: here.text(), lines, inPod: pod.text() };
}

describe.each(Object.entries(cases))('%s', (_, question) => {
  test.each(looks)('is the same to the byte, asked here or in a pod: %j', async (look) => {
    for (const typed of ['test', undefined]) {
      const [here, inside] = [await askedHere(question, look, typed), await askedInside(question, look, typed)];
      expect(inside.text).toBe(here.text);
      expect(inside.answer).toBe(here.answer);
      expect(inside.inPod).toBe('');
      expect(inside.lines.join('')).not.toContain('PLAN');
      expect(inside.lines.join('')).not.toContain(esc);
      expect(here.text).not.toContain('hunter2');
    }
  });

  test('acts on no terminal but by our own colours', async () => {
    const { text } = await askedInside(question, { coloured: true, width: 60 }, undefined);
    const [before = '', ...parts] = text.split(esc);
    expect(parts.filter((part) => !/^\[\d+m/.test(part))).toEqual([]);
    expect([before, ...parts].join('')).not.toMatch(/(?!\n)\p{Cc}|##vso/u);
  });
});

test('a plan is coloured where the terminal is, and as wide as it', async () => {
  const ask = (look: Looks) => askedInside(cases['a plan'] as Question, look, undefined);
  const [plain, coloured, narrow] = [
    await ask({ coloured: false, width: 200 }),
    await ask({ coloured: true, width: 200 }),
    await ask({ coloured: true, width: 60 }),
  ];
  expect(plain.text).not.toContain(esc);
  expect(coloured.text).toContain(`${esc}[1mPLAN${esc}[22m  test`);
  expect(stripVTControlCharacters(coloured.text)).toBe(plain.text);
  expect(plain.text).toContain('db: postgres on db.example.com');
  expect(plain.text).toContain('[redacted] was refused');
  expect(coloured.text).toContain('\\x1b[2J\\x1b[31mwelcome');
  const harmlessLines = (text: string) =>
    stripVTControlCharacters(text)
      .split('\n')
      .filter((line) => !line.includes('\\x1b'));
  const widest = (text: string) => Math.max(...harmlessLines(text).map((line) => line.length));
  expect(widest(narrow.text)).toBeLessThanOrEqual(60);
  expect(widest(plain.text)).toBeGreaterThan(60);
});

test.each([
  ['Ctrl-C', undefined, true, [], true],
  ['the name', 'test', true, ['test'], false],
  ['no terminal', undefined, false, [], false],
])('who did not begin it and is asked: %s', async (_, typed, hasKeyboard, answers, left) => {
  const { call, text } = terminalCall({ coloured: false }, typed, hasKeyboard);
  const [leaving, over] = [new AbortController(), new AbortController()];
  const given: (string | null)[] = [];
  const door = {
    state: async () => ({ protocol: doorProtocol, loadctl: '0', k6: null, state: 'running' as const, question: 1 }),
    answer: async ({ text: answer }: { text: string | null }) => {
      given.push(answer);
      over.abort();
    },
  };
  const following = { clock, signal: new AbortController().signal, away: async () => {} };
  const follow = await answerQuestions(call, { door, following, leave: () => leaving.abort() });
  follow({ at: 0, t: 0, type: 'question-asked', question: 1, shown: 'PLAN\n', prompt: 'Type: ' });
  if (hasKeyboard) await clock.sleep(60_000, AbortSignal.any([leaving.signal, over.signal]));
  else await vi.waitFor(() => expect(text()).not.toBe(''));
  expect(text()).toBe(hasKeyboard ? 'PLAN\nType: ' : 'PLAN\n');
  expect([given, leaving.signal.aborted]).toEqual([answers, left]);
});

test('a text that an earlier conductor told is shown as it is, and acts on nothing', async () => {
  const { call, text } = terminalCall({ coloured: true, width: 60 });
  const following = { clock, signal: new AbortController().signal, away: async () => {} };
  const door = {
    state: () => Promise.reject(new Error('nobody asks')),
    answer: () => Promise.reject(new Error('nobody answers')),
  };
  const follow = await answerQuestions(call, { door, following });
  follow({ at: 0, t: 0, type: 'question-asked', question: 1, shown: `PLAN  test\n${esc}[2J\n` });
  expect(text()).toBe('PLAN  test\n\\x1b[2J\n');
});

test('a question that nobody answers in time says so; one that is answered, called off or left says nothing', async () => {
  const settled = async (limitMs: number, signal: AbortSignal, answer?: string | null) => {
    const questions = askedQuestions(clock, limitMs);
    const tell = makeTeller();
    const told: string[] = [];
    const emit = (event: LoadctlEvent) => {
      const sentence = tell({ at: 0, t: 0, ...event });
      if (sentence !== undefined) told.push(sentence.text);
      if (event.type === 'question-asked' && answer !== undefined) questions.answer({ question: event.question, text: answer });
    };
    await questions.ask(cases['changed rows'] as Question, { emit, signal });
    return told;
  };
  const going = new AbortController().signal;
  expect(await settled(1, going)).toEqual(['no answer within 1ms: that counts as no']);
  expect(await settled(600_000, going, '3')).toEqual([]);
  expect(await settled(600_000, going, null)).toEqual([]);
  expect(await settled(600_000, AbortSignal.abort())).toEqual([]);
});
