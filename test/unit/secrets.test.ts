import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRedactor } from '../../src/core/redactor.js';
import { isSecretName, redactor, redactUrl, secretsInUrl } from '../../src/core/secrets.js';
import { archiveToKeep } from '../../src/k6/archive.js';

const password = `a"b<c>&d'é (100%)`;

describe('a secret is found', () => {
  const inJson = JSON.stringify(password);
  test.each([
    ['as it is', password],
    ['in a URL', encodeURIComponent(password)],
    ['in a form', new URLSearchParams({ password }).toString().slice('password='.length)],
    ['in user info as Go writes it', 'a%22b%3Cc%3E&d%27%C3%A9%20%28100%25%29'],
    ['in JSON', inJson.slice(1, -1)],
    ['in JSON as Go writes it', inJson.slice(1, -1).replace('<', '\\u003c').replace('>', '\\u003e').replace('&', '\\u0026')],
    ['in JSON that is a text in JSON', JSON.stringify(inJson).slice(3, -3)],
  ])('%s', (_, spelled) => {
    expect(redactor([password])(`before ${spelled} after`)).toBe('before [redacted] after');
  });

  test('line by line, where it has several', () => {
    const hide = redactor(['-----BEGIN KEY-----\nMIIEpAIBAAKC\n  AQEA\n=\n']);
    expect(hide('error: -----BEGIN KEY----- (MIIEpAIBAAKC)\n  AQEA')).toBe('error: [redacted] ([redacted])\n  [redacted]');
  });

  test('in what k6 leaves of a URL with a password', () => {
    const hide = redactor(secretsInUrl('http://ann:p%40ss%2Fword@127.0.0.1:80'));
    expect(hide('http://****:****word@127.0.0.1:80/x')).toBe('http://****[redacted]@127.0.0.1:80/x');
    expect(hide('a word in a sentence')).toBe('a word in a sentence');
  });

  test('in a URL whose password is not escaped', () => {
    expect(redactUrl('postgres://me:p@ss/word@h:5432/x')).toBe('postgres://me:[redacted]@h:5432/x');
    expect(redactUrl('http://h/@scope/package?of=a@b')).toBe('http://h/@scope/package?of=a@b');
  });
});

test.each(['Authorization', 'Cookie', 'X-Api-Key', 'JWT', 'keyPassphrase', 'webhookToken', 'DB_PASSWORD'])('%s names a secret', (name) => {
  expect(isSecretName(name)).toBe(true);
});

test.each(['keys', 'author', 'monkey', 'X-User-Id', 'tokenizer', 'passing'])('%s may hold one or not', (name) => {
  expect(isSecretName(name)).toBe(name === 'keys');
});

test('an archive is kept without secrets in its options, and with the files of the user as they are', () => {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-tar-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = {
    'metadata.json': '{"options": {"vus": 12345678, "tags": {"a": "s3cret-word"}}}',
    data: '"s3cret-word"; s3cret-word',
    own: '"s3cret-word"',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text.padEnd(name === 'own' ? 1000 : 0));
  execFileSync('tar', ['-cf', 'test.tar', ...Object.keys(files)], { cwd: folder });
  const archive = readFileSync(join(folder, 'test.tar'));

  expect(archiveToKeep(archive, openRedactor())).toEqual(archive);
  writeFileSync(join(folder, 'kept.tar'), archiveToKeep(archive, openRedactor('s3cret-word', '12345678')));

  const read = (name: string) => execFileSync('tar', ['-xOf', 'kept.tar', name], { cwd: folder, encoding: 'utf8' });
  expect(JSON.parse(read('metadata.json'))).toEqual({ options: { vus: 12345678, tags: { a: '[redacted]' } } });
  expect([read('data'), read('own').trimEnd()]).toEqual(['"[redacted]"; s3cret-word', '"s3cret-word"']);
});
