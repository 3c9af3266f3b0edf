import { describe, expect, test } from 'vitest';
import type { LoadctlEvent } from '../../src/core/events.js';
import { redactData, redactForeign } from '../../src/core/redact-data.js';
import { openRedactor } from '../../src/core/redactor.js';
import { secretsInUrl } from '../../src/core/secrets.js';
import { runId } from '../support/ids.js';

const knowing = (secrets: readonly string[], open: readonly string[] = []) => {
  const redactor = openRedactor();
  redactor.hide(secrets, open);
  return redactor;
};

describe('in a text of loadctl’s own', () => {
  test.each([
    ['a token, within words too', 'tok3n-word', 'xtok3n-wordy: tok3n-word', 'x[redacted]y: [redacted]'],
    ['a short word, as a word of its own', 'wrong', 'wrong: wrongly said, not wrong.', '[redacted]: wrongly said, not [redacted].'],
    ['beside signs', 'hush', '(hush) hush,hush_hush: "hush"', '([redacted]) [redacted],[redacted]_[redacted]: "[redacted]"'],
    ['a number stays a number', '1234', 'after 1234 ms, limit < 1234', 'after 1234 ms, limit < 1234'],
    [
      'a number in a URL',
      '1234',
      'GET http://h:1234/pin/1234/x?pin=1234#1234: 404',
      'GET http://h:1234/pin/[redacted]/x?pin=[redacted]#[redacted]: 404',
    ],
    ['a number that is a password', '1234', 'postgres://app:1234@h:1234/x', 'postgres://app:[redacted]@h:1234/x'],
    [
      'two letters',
      'ro',
      'error: postgres://ann:ro@db/ro?user=ro&token=ro',
      'error: postgres://ann:[redacted]@db/ro?user=[redacted]&token=[redacted]',
    ],
    ['quotes, signs and other letters', `a"b'ü\\c`, `a"b'ü\\c and ${JSON.stringify(`a"b'ü\\c`)}`, '[redacted] and "[redacted]"'],
    ['several lines, line by line', 'first line\nlast line', 'it is first line,\n  last line!', 'it is [redacted],\n  [redacted]!'],
    ['half of a pair of surrogates', 'key-\ud83d-end', 'key-\ud83d-end', '[redacted]'],
    ['signs that a pattern would read', 'a.*b(c', 'a.*b(c, axxb(c', '[redacted], axxb(c'],
  ])('%s', (_, secret, text, shown) => {
    expect(knowing([secret]).text(text)).toBe(shown);
  });

  test('a secret that begins another one, or overlaps it, leaves no rest', () => {
    const redactor = knowing(['abcdef-1', 'abcdef-1234', '234-xyz9']);
    expect(redactor.text('abcdef-1 abcdef-1234 abcdef-1234-xyz9 abcdef-1x')).toBe('[redacted] [redacted] [redacted] [redacted]x');
  });

  test('a password that stands openly in the profile is only one where a URL has it', () => {
    const redactor = knowing(secretsInUrl('postgres://postgres:postgres@h/postgres'), ['postgres']);
    expect(redactor.text('postgres: no role "postgres" at postgres://postgres:postgres@h/postgres')).toBe(
      'postgres: no role "postgres" at postgres://postgres:[redacted]@h/postgres',
    );
    expect(redactor.output('role postgres')).toBe('role [redacted]');
  });

  test('nothing is taken out for a secret that is empty or blank', () => {
    expect(knowing(['', '  ', '\n']).output('a  b\n')).toBe('a  b\n');
  });
});

test.each(['tok3n-word', 'a"b\\c<d>\n&e', 'wrong', '4711', 'ro', 'ein Wört'])(
  'whether a line of JSON may hold a secret is known without reading it: %j',
  (secret) => {
    const redactor = knowing([secret]);
    const line = JSON.stringify({ msg: `${JSON.stringify({ word: secret })} ${secret} http://h/?x=${encodeURIComponent(secret)}` });
    expect([redactor.mayHold(line), redactor.mayHold('{"msg":"a quiet day"}')]).toEqual([true, false]);
  },
);

test('what a script writes loses numbers, too, as words of their own', () => {
  expect(knowing(['4711']).output('pin 4711, 47110 and a4711')).toBe('pin [redacted], 47110 and a4711');
});

test('names with different secrets stay two, the same each time', () => {
  const redactor = knowing(['first-secret', 'second-secret']);
  const names = ['http://second-secret/status', 'http://first-secret/status', 'http://second-secret/other'];
  const shown = ['http://[redacted]/status', 'http://[redacted 2]/status', 'http://[redacted]/other'];
  expect(names.map((name) => redactor.name(name))).toEqual(shown);
  const metrics = Object.fromEntries(names.map((name) => [`http_reqs{name:${name}}`, { values: { count: 1 } }]));
  expect(Object.keys(redactData({ metrics }, redactor).metrics)).toEqual(shown.map((name) => `http_reqs{name:${name}}`));
  const endpoints = names.map((name) => ({ name, requests: 1 }));
  expect(redactData({ endpoints }, redactor).endpoints).toEqual(shown.map((name) => ({ name, requests: 1 })));
});

const judged = {
  type: 'judged',
  run: runId('20261123-195601-k3x9q'),
  verdict: {
    version: 1,
    run: runId('20261123-195601-k3x9q'),
    verdict: 'interrupted',
    reasons: ['http_req_failed rate was interrupted.'],
    criteria: [
      {
        name: 'http_req_failed{name:counter} rate',
        source: 'client',
        metric: 'http_req_failed{name:counter}',
        limit: '< 1%',
        actual: 0.5,
        low: 0.5,
        high: 0.5,
        unit: '%',
        window: 'whole test 1m',
        outcome: 'not-measured',
      },
    ],
  },
} as const satisfies LoadctlEvent;

describe('data', () => {
  test('keeps its fields and fixed words, however a secret is spelled; sentences and names lose it', () => {
    const redactor = knowing([
      'judged',
      'type',
      'interrupted',
      'client',
      'not-measured',
      'http_req_failed',
      'whole',
      'counter',
      'reasons',
      '195601',
    ]);
    const clean = redactData(judged, redactor);
    expect(clean).toEqual({
      ...judged,
      verdict: {
        ...judged.verdict,
        reasons: ['[redacted] rate was [redacted].'],
        criteria: [
          {
            ...judged.verdict.criteria[0],
            name: 'http_req_failed{name:[redacted]} rate',
            metric: 'http_req_failed{name:[redacted]}',
          },
        ],
      },
    });
  });

  test.each([
    ['an error', { type: 'failed', error: { code: 'script-threw', message: 'Error: no s3cret', hint: 's3cret', lines: ['at s3cret'] } }],
    ['a complaint of k6', { type: 'warned', code: 'k6-complained', message: 's3cret', times: 2 }],
    ['what handleSummary wrote', { type: 'summary-handled', stdout: 'a s3cret', stderr: 's3cret' }],
    ['what teardown() threw', { type: 'teardown-finished', runner: '1', elapsedMs: 1, error: 's3cret' }],
    ['the name of an endpoint', { type: 'fleet-sampled', endpoints: [{ name: 'GET /s3cret' }] }],
    ['a note', { type: 'noted', code: 'side-effect', effect: 'a trigger for s3cret' }],
    ['a lock that was lost', { type: 'warned', code: 'lock-lost', place: { store: 'db', shard: null }, why: 'FATAL: s3cret', retryMs: 1 }],
    ['work', { type: 'step-started', step: 's', work: { kind: 'look-at-target', url: 'http://h/s3cret' } }],
  ])('%s is said without a secret', (_, event) => {
    const clean = redactData(event, knowing(['s3cret']));
    expect(JSON.stringify(clean)).toContain('[redacted]');
    expect(JSON.stringify(clean)).not.toContain('s3cret');
  });

  test('of k6 has no word of loadctl’s', () => {
    const data = {
      level: 'info',
      source: 'client',
      msg: 'said client',
      tags: { client: 'client' },
      metrics: { http_reqs: 1, count_client: 2 },
    };
    expect(redactForeign(data, knowing(['client', 'http_reqs']))).toEqual({
      level: 'info',
      source: '[redacted]',
      msg: 'said [redacted]',
      tags: { '[redacted]': '[redacted]' },
      metrics: { http_reqs: 1, count_redacted: 2 },
    });
  });

  test('below the user’s own words has none either', () => {
    const record = {
      run: 'r1',
      profile: { environment: 'dev', seed: [{ columns: { type: 's3cret' } }] },
      plan: { env: { run: 's3cret' } },
    };
    expect(JSON.stringify(redactData(record, knowing(['s3cret'])))).not.toContain('s3cret');
  });
});
